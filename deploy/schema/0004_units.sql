-- Who acts for a unit: its one administrator, who lets others join, and the agents.

-- The first who proved a verified unit becomes its administrator; a unit that is in no register has none.
UPDATE unit_member m
  JOIN (SELECT w.unit_id, w.account_id, ROW_NUMBER() OVER (PARTITION BY w.unit_id ORDER BY w.created_at, w.account_id) AS nth
          FROM unit_member w JOIN unit u ON u.id = w.unit_id WHERE u.verified = 1) oldest
    ON oldest.unit_id = m.unit_id AND oldest.account_id = m.account_id
   SET m.role = 'administrator'
 WHERE oldest.nth = 1;

ALTER TABLE unit_member
  MODIFY role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'administrator, agent',
  ADD COLUMN administered BIGINT GENERATED ALWAYS AS (CASE WHEN role = 'administrator' THEN unit_id END) VIRTUAL
    COMMENT 'one administrator a unit',
  ADD UNIQUE KEY unit_member_administrator (administered);

-- An account asks to act for a unit; its administrator decides.
CREATE TABLE unit_request (
  id          BIGINT      NOT NULL AUTO_INCREMENT,
  public_id   VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  unit_id     BIGINT      NOT NULL,
  account_id  BIGINT      NOT NULL,
  state       VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'open, approved, refused, lapsed',
  is_open     TINYINT     NULL COMMENT '1 while open: one open request an account and unit',
  decided_by  BIGINT      NULL COMMENT 'account of the administrator',
  decided_at  BIGINT      NULL,
  expires_at  BIGINT      NOT NULL,
  created_at  BIGINT      NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY unit_request_public_id (public_id),
  UNIQUE KEY unit_request_open (unit_id, account_id, is_open),
  KEY unit_request_account (account_id, id),
  CONSTRAINT unit_request_unit_fk FOREIGN KEY (unit_id) REFERENCES unit (id),
  CONSTRAINT unit_request_account_fk FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An administrator asks the holder of a number to act for the unit, whether the number has an account yet or not.
CREATE TABLE unit_invitation (
  id            BIGINT        NOT NULL AUTO_INCREMENT,
  public_id     VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  unit_id       BIGINT        NOT NULL,
  phone_index   BINARY(32)    NOT NULL COMMENT 'as account.phone_index',
  phone_sealed  VARBINARY(96) NOT NULL,
  state         VARCHAR(12)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'open, accepted, refused, withdrawn, lapsed',
  is_open       TINYINT       NULL COMMENT '1 while open: one open invitation a number and unit',
  invited_by    BIGINT        NOT NULL,
  decided_by    BIGINT        NULL COMMENT 'account',
  decided_at    BIGINT        NULL,
  expires_at    BIGINT        NOT NULL,
  created_at    BIGINT        NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY unit_invitation_public_id (public_id),
  UNIQUE KEY unit_invitation_open (unit_id, phone_index, is_open),
  KEY unit_invitation_phone (phone_index, is_open, id),
  CONSTRAINT unit_invitation_unit_fk FOREIGN KEY (unit_id) REFERENCES unit (id),
  CONSTRAINT unit_invitation_by_fk FOREIGN KEY (invited_by) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Staff made a member the administrator, because the one before is lost.
CREATE TABLE unit_appointment (
  id            BIGINT       NOT NULL AUTO_INCREMENT,
  unit_id       BIGINT       NOT NULL,
  from_account  BIGINT       NULL,
  to_account    BIGINT       NOT NULL,
  staff_id      BIGINT       NOT NULL,
  reason        VARCHAR(400) NOT NULL,
  created_at    BIGINT       NOT NULL,
  PRIMARY KEY (id),
  KEY unit_appointment_unit (unit_id, id),
  CONSTRAINT unit_appointment_unit_fk FOREIGN KEY (unit_id) REFERENCES unit (id),
  CONSTRAINT unit_appointment_staff_fk FOREIGN KEY (staff_id) REFERENCES staff (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
