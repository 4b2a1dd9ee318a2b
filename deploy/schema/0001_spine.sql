-- The tables of the main flow.
--
-- Times are milliseconds since 1970-01-01 UTC, money is fen. Columns named *_sealed hold AES-256-GCM values
-- (key version, nonce, ciphertext, tag), *_index HMAC-SHA-256 blind indexes of the same values. Ids shown to anyone
-- are public_id, no or serial, never id.

CREATE TABLE person (
  id               BIGINT       NOT NULL AUTO_INCREMENT,
  id_number_index  BINARY(32)   NOT NULL,
  id_number_sealed VARBINARY(96)  NOT NULL,
  name_sealed      VARBINARY(512) NOT NULL,
  mobile_sealed    VARBINARY(96)  NOT NULL,
  created_at       BIGINT       NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY person_id_number (id_number_index)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE account (
  id            BIGINT        NOT NULL AUTO_INCREMENT,
  public_id     VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  phone_index   BINARY(32)    NOT NULL,
  phone_sealed  VARBINARY(96) NOT NULL,
  password      VARCHAR(160)  CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'Argon2id, PHC string',
  person_id     BIGINT        NULL COMMENT 'who the account was verified to be',
  state         VARCHAR(12)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'active, disabled',
  created_at    BIGINT        NOT NULL,
  updated_at    BIGINT        NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY account_public_id (public_id),
  UNIQUE KEY account_phone (phone_index),
  KEY account_person (person_id),
  CONSTRAINT account_person_fk FOREIGN KEY (person_id) REFERENCES person (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE unit (
  id               BIGINT       NOT NULL AUTO_INCREMENT,
  public_id        VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind             VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'enterprise, institution',
  name             VARCHAR(200) NOT NULL,
  uscc             CHAR(18)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  legal_name_sealed VARBINARY(512) NOT NULL,
  legal_id_sealed  VARBINARY(96)   NOT NULL,
  verified         TINYINT      NOT NULL COMMENT '0: not found in the register, letters are asked for instead',
  check_digit_overridden TINYINT NOT NULL DEFAULT 0 COMMENT 'an issued code that fails GB 32100, confirmed by look-up',
  created_at       BIGINT       NOT NULL,
  updated_at       BIGINT       NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY unit_public_id (public_id),
  UNIQUE KEY unit_uscc_name (uscc, name),
  KEY unit_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE unit_member (
  unit_id     BIGINT      NOT NULL,
  account_id  BIGINT      NOT NULL,
  role        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'agent',
  created_at  BIGINT      NOT NULL,
  PRIMARY KEY (unit_id, account_id),
  KEY unit_member_account (account_id),
  CONSTRAINT unit_member_unit_fk FOREIGN KEY (unit_id) REFERENCES unit (id),
  CONSTRAINT unit_member_account_fk FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row an answer of the identity provider: the evidence that the law asks for.
CREATE TABLE verification (
  id             BIGINT      NOT NULL AUTO_INCREMENT,
  request_id     VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  account_id     BIGINT      NOT NULL,
  product        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'MOBILE_3, ENT_4',
  subject_index  BINARY(32)  NOT NULL,
  verdict        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'match, mismatch, no_record, error',
  vendor_serial  VARCHAR(64) NULL,
  billed         TINYINT     NOT NULL,
  created_at     BIGINT      NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY verification_request (request_id),
  KEY verification_account (account_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE staff (
  id                  BIGINT         NOT NULL AUTO_INCREMENT,
  public_id           VARCHAR(32)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name_sealed         VARBINARY(512) NOT NULL,
  roles               INT            NOT NULL COMMENT 'bits: 1 reviewer 2 finance 4 producer 8 shipper 16 auditor 32 administrator',
  certificate_sha256  BINARY(32)     NOT NULL,
  person_index        BINARY(32)     NULL COMMENT 'blind index of the ID number: nobody reviews an order they entered',
  state               VARCHAR(12)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'active, disabled',
  created_at          BIGINT         NOT NULL,
  updated_at          BIGINT         NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY staff_public_id (public_id),
  UNIQUE KEY staff_certificate (certificate_sha256)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE certificate_order (
  id                 BIGINT        NOT NULL AUTO_INCREMENT,
  no                 VARCHAR(24)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'time-ordered',
  hall               VARCHAR(64)   NOT NULL,
  project            VARCHAR(64)   NOT NULL,
  product            VARCHAR(64)   NOT NULL,
  service            VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  account_id         BIGINT        NOT NULL,
  unit_id            BIGINT        NOT NULL,
  person_id          BIGINT        NOT NULL COMMENT 'the agent',
  agent_index        BINARY(32)    NOT NULL COMMENT 'blind index of the agent''s ID number',
  state              VARCHAR(12)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version            BIGINT        NOT NULL,
  flow               VARCHAR(12)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'review_first, pay_first, free',
  delivery           VARCHAR(8)    CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'mail, pickup',
  amount_fen         BIGINT        NOT NULL,
  paid_fen           BIGINT        NOT NULL DEFAULT 0,
  profile            VARCHAR(64)   NOT NULL,
  years              INT           NOT NULL,
  sale               TEXT          NOT NULL COMMENT 'JSON: what was sold',
  details_sealed     VARBINARY(8000) NULL COMMENT 'JSON: e-mail, address, invoice, delivery',
  agreement_version  VARCHAR(32)   NULL,
  agreement_sha256   CHAR(64)      CHARACTER SET ascii COLLATE ascii_bin NULL,
  agreement_at       BIGINT        NULL,
  csr                VARBINARY(8000) NULL,
  csr_by             VARCHAR(8)    CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'holder, station',
  spki_sha256        BINARY(32)    NULL,
  hold_key           VARCHAR(160)  NULL COMMENT 'hall/project/USCC while it stands for the one certificate a unit may have',
  claim_staff        BIGINT        NULL,
  claim_until        BIGINT        NULL,
  reasons            MEDIUMTEXT    NULL COMMENT 'JSON: of the last rejection',
  courier            VARCHAR(64)   NULL,
  tracking           VARCHAR(64)   NULL,
  created_at         BIGINT        NOT NULL,
  updated_at         BIGINT        NOT NULL,
  submitted_at       BIGINT        NULL,
  PRIMARY KEY (id),
  UNIQUE KEY order_no (no),
  UNIQUE KEY order_hold (hold_key),
  KEY order_account (account_id, id),
  KEY order_account_state (account_id, state, id),
  KEY order_state (state, id),
  KEY order_project (project, id),
  KEY order_project_state (project, state, id),
  KEY order_unit (unit_id, id),
  KEY order_spki (spki_sha256),
  CONSTRAINT order_account_fk FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT order_unit_fk FOREIGN KEY (unit_id) REFERENCES unit (id),
  CONSTRAINT order_person_fk FOREIGN KEY (person_id) REFERENCES person (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE order_event (
  id             BIGINT      NOT NULL AUTO_INCREMENT,
  order_id       BIGINT      NOT NULL,
  event          VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  from_state     VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NULL,
  to_state       VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  actor_kind     VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'applicant, staff, system',
  actor_id       BIGINT      NULL,
  public_reason  MEDIUMTEXT  NULL COMMENT 'JSON, shown to the applicant',
  created_at     BIGINT      NOT NULL,
  PRIMARY KEY (id),
  KEY order_event_order (order_id, id),
  CONSTRAINT order_event_order_fk FOREIGN KEY (order_id) REFERENCES certificate_order (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Nobody acts twice on one order: one duty a member of staff and order.
CREATE TABLE order_duty (
  order_id    BIGINT      NOT NULL,
  staff_id    BIGINT      NOT NULL,
  duty        VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'review, finance, production',
  created_at  BIGINT      NOT NULL,
  PRIMARY KEY (order_id, staff_id),
  CONSTRAINT order_duty_order_fk FOREIGN KEY (order_id) REFERENCES certificate_order (id),
  CONSTRAINT order_duty_staff_fk FOREIGN KEY (staff_id) REFERENCES staff (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE material (
  id           BIGINT         NOT NULL AUTO_INCREMENT,
  order_id     BIGINT         NOT NULL,
  kind         VARCHAR(64)    NOT NULL,
  state        VARCHAR(10)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'uploaded, rejected; once over replaced, removed or, when no review has seen it, discarded',
  is_current   TINYINT        NULL COMMENT '1, or NULL for what was replaced or removed',
  type         VARCHAR(20)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'image/jpeg …',
  size         BIGINT         NOT NULL,
  sha256       BINARY(32)     NOT NULL,
  file         VARCHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name in the store',
  wrapped_key  VARBINARY(96)  NOT NULL,
  created_at   BIGINT         NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY material_current (order_id, kind, is_current),
  UNIQUE KEY material_file (file),
  CONSTRAINT material_order_fk FOREIGN KEY (order_id) REFERENCES certificate_order (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE payment (
  id              BIGINT        NOT NULL AUTO_INCREMENT,
  public_id       VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_id        BIGINT        NOT NULL,
  method          VARCHAR(12)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'transfer',
  amount_fen      BIGINT        NOT NULL,
  state           VARCHAR(12)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'pending, confirmed, refused, closed',
  is_open         TINYINT       NULL COMMENT '1 while pending: one open payment an order',
  remark_code     VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  voucher_file    VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NULL,
  voucher_key     VARBINARY(96) NULL,
  voucher_type    VARCHAR(20)   CHARACTER SET ascii COLLATE ascii_bin NULL,
  voucher_size    BIGINT        NULL,
  voucher_sha256  BINARY(32)    NULL,
  bank_reference  VARCHAR(64)   NULL,
  decided_by      BIGINT        NULL,
  decided_at      BIGINT        NULL,
  reason          VARCHAR(400)  NULL,
  created_at      BIGINT        NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY payment_public_id (public_id),
  UNIQUE KEY payment_remark (remark_code),
  UNIQUE KEY payment_open (order_id, is_open),
  UNIQUE KEY payment_bank_reference (bank_reference),
  KEY payment_voucher (voucher_file),
  KEY payment_state (state, id),
  CONSTRAINT payment_order_fk FOREIGN KEY (order_id) REFERENCES certificate_order (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE issuer (
  name         VARCHAR(64)    NOT NULL,
  certificate  VARBINARY(8000) NOT NULL,
  created_at   BIGINT         NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The ledger. Serial and to-be-signed bytes are committed before the key is used.
CREATE TABLE issuance (
  id           BIGINT          NOT NULL AUTO_INCREMENT,
  order_id     BIGINT          NOT NULL,
  item         SMALLINT        NULL DEFAULT 1 COMMENT 'NULL: put aside, a new request may take its place',
  state        VARCHAR(10)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'queued, prepared, issued, failed',
  profile      VARCHAR(64)     NOT NULL,
  years        INT             NOT NULL,
  subject      TEXT            NOT NULL COMMENT 'JSON: what the certificate will say, all of it public',
  csr          VARBINARY(8000) NOT NULL,
  issuer       VARCHAR(64)     NULL,
  serial       VARBINARY(20)   NULL,
  tbs          BLOB            NULL,
  attempts     INT             NOT NULL DEFAULT 0,
  error        VARCHAR(200)    NULL,
  next_try_at  BIGINT          NOT NULL,
  created_at   BIGINT          NOT NULL,
  updated_at   BIGINT          NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY issuance_order (order_id, item),
  UNIQUE KEY issuance_serial (issuer, serial),
  KEY issuance_state (state, next_try_at),
  CONSTRAINT issuance_order_fk FOREIGN KEY (order_id) REFERENCES certificate_order (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE certificate (
  id           BIGINT          NOT NULL AUTO_INCREMENT,
  issuance_id  BIGINT          NOT NULL,
  order_id     BIGINT          NOT NULL,
  account_id   BIGINT          NOT NULL,
  unit_id      BIGINT          NOT NULL,
  issuer       VARCHAR(64)     NOT NULL,
  serial       VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'lower-case hexadecimal',
  sha256       BINARY(32)      NOT NULL,
  spki_sha256  BINARY(32)      NOT NULL,
  der          VARBINARY(8000) NOT NULL,
  not_before   BIGINT          NOT NULL,
  not_after    BIGINT          NOT NULL,
  state        VARCHAR(12)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'valid, revoked, superseded',
  revoked_at   BIGINT          NULL,
  reason       SMALLINT        NULL COMMENT 'CRLReason, RFC 5280 section 5.3.1',
  created_at   BIGINT          NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY certificate_issuance (issuance_id),
  UNIQUE KEY certificate_serial (issuer, serial),
  UNIQUE KEY certificate_sha256 (sha256),
  KEY certificate_by_serial (serial),
  KEY certificate_account (account_id, id),
  KEY certificate_unit (unit_id, id),
  KEY certificate_spki (spki_sha256),
  KEY certificate_revoked (issuer, revoked_at),
  CONSTRAINT certificate_issuance_fk FOREIGN KEY (issuance_id) REFERENCES issuance (id),
  CONSTRAINT certificate_account_fk FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE crl (
  issuer       VARCHAR(64) NOT NULL,
  number       BIGINT      NOT NULL,
  this_update  BIGINT      NOT NULL,
  next_update  BIGINT      NOT NULL,
  entries      BIGINT      NOT NULL COMMENT 'how many certificates it names',
  der          LONGBLOB    NOT NULL,
  PRIMARY KEY (issuer, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE idempotency (
  scope        VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'account or staff id',
  idem_key     VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  operation    VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request_sha256 BINARY(32) NOT NULL COMMENT 'of path and body',
  status       SMALLINT     NOT NULL,
  answer       MEDIUMTEXT   NULL,
  created_at   BIGINT       NOT NULL,
  PRIMARY KEY (scope, idem_key),
  KEY idempotency_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE audit (
  id           BIGINT       NOT NULL AUTO_INCREMENT,
  created_at   BIGINT       NOT NULL,
  actor_kind   VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'public, applicant, staff, system',
  actor_id     BIGINT       NULL,
  address      VARCHAR(45)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  request_id   VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  action       VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  object_kind  VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  object_id    VARCHAR(64)  NOT NULL,
  detail       TEXT         NULL COMMENT 'JSON, nothing personal',
  seal_id      BIGINT       NULL COMMENT 'NULL: not sealed yet',
  PRIMARY KEY (id),
  KEY audit_seal (seal_id, id),
  KEY audit_object (object_kind, object_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE audit_seal (
  id          BIGINT     NOT NULL,
  row_count   BIGINT     NOT NULL,
  last_row    BIGINT     NOT NULL,
  previous    BINARY(32) NOT NULL,
  hash        BINARY(32) NOT NULL COMMENT 'HMAC of the previous hash and of every row',
  created_at  BIGINT     NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
