-- What an account signs in by besides its number, accounts without a number, and numbers that were lost.

ALTER TABLE account
  MODIFY phone_index BINARY(32) NULL COMMENT 'NULL: none yet, registered by a company''s name; or closed',
  MODIFY phone_sealed VARBINARY(96) NULL COMMENT 'kept when the account is closed',
  MODIFY state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'active, disabled, closed',
  ADD COLUMN sign_in_ways INT NOT NULL DEFAULT 0 COMMENT 'bits: 1 sms 2 password 4 certificate …; 0: any',
  ADD COLUMN sessions_from BIGINT NOT NULL DEFAULT 0 COMMENT 'sessions begun before it are over, whatever Redis says';

-- One row a login; the form of a login tells its kind, so one text is never two kinds.
CREATE TABLE account_login (
  id            BIGINT         NOT NULL AUTO_INCREMENT,
  account_id    BIGINT         NOT NULL,
  kind          VARCHAR(10)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'email, user_name, company',
  login_index   BINARY(32)     NOT NULL COMMENT 'of the kind and the login in its one form',
  login_sealed  VARBINARY(640) NOT NULL COMMENT 'as it was given',
  confirmed_at  BIGINT         NULL COMMENT 'company: when the organisation of this name was proved',
  created_at    BIGINT         NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY account_login_index (login_index),
  UNIQUE KEY account_login_account (account_id, kind),
  CONSTRAINT account_login_account_fk FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Why the staff disabled an account, or let it in again.
CREATE TABLE account_decision (
  id          BIGINT       NOT NULL AUTO_INCREMENT,
  account_id  BIGINT       NOT NULL,
  decision    VARCHAR(12)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'disable, enable',
  staff_id    BIGINT       NULL COMMENT 'NULL: the operator, by caportalctl',
  reason      VARCHAR(400) NOT NULL,
  created_at  BIGINT       NOT NULL,
  PRIMARY KEY (id),
  KEY account_decision_account (account_id, id),
  CONSTRAINT account_decision_account_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT account_decision_staff_fk FOREIGN KEY (staff_id) REFERENCES staff (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An application of somebody who lost the number of an account: staff compare who applies with whom the account was
-- verified to be. Of a login that is nobody's too: it must look the same from outside.
CREATE TABLE phone_change (
  id               BIGINT         NOT NULL AUTO_INCREMENT,
  public_id        VARCHAR(32)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  secret_sha256    BINARY(32)     NOT NULL COMMENT 'of what the applicant reads the state with',
  account_id       BIGINT         NULL COMMENT 'NULL: the login is nobody''s',
  login_sealed     VARBINARY(640) NOT NULL,
  phone_index      BINARY(32)     NOT NULL COMMENT 'the new number, as account.phone_index',
  phone_sealed     VARBINARY(96)  NOT NULL,
  name_sealed      VARBINARY(512) NOT NULL,
  id_number_index  BINARY(32)     NOT NULL COMMENT 'as person.id_number_index',
  id_number_sealed VARBINARY(96)  NOT NULL,
  reason_sealed    VARBINARY(2000) NOT NULL,
  state            VARCHAR(12)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'submitted, approved, rejected, superseded',
  is_open          TINYINT        NULL COMMENT '1 while submitted: one a new number',
  public_reason    VARCHAR(400)   NULL,
  decided_by       BIGINT         NULL,
  decided_at       BIGINT         NULL,
  expires_at       BIGINT         NOT NULL,
  created_at       BIGINT         NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY phone_change_public_id (public_id),
  UNIQUE KEY phone_change_open (phone_index, is_open),
  KEY phone_change_state (state, id),
  KEY phone_change_account (account_id, is_open),
  CONSTRAINT phone_change_account_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT phone_change_staff_fk FOREIGN KEY (decided_by) REFERENCES staff (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
