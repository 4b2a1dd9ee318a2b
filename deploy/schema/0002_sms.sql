-- Codes that were sent by text message, for two days: what limits count, so that a Redis that forgets resets nothing,
-- and how many came back. No number, no address and no code can be read from a row.

CREATE TABLE sms_code (
  id             BIGINT      NOT NULL AUTO_INCREMENT,
  phone_index    BINARY(32)  NOT NULL COMMENT 'blind index of the number',
  segment        VARCHAR(7)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'its first seven digits',
  purpose        VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address_index  BINARY(32)  NOT NULL COMMENT 'blind index of the client''s address, of IPv6 its /64',
  network        VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the /24 or /64',
  created_at     BIGINT      NOT NULL,
  redeemed_at    BIGINT      NULL,
  PRIMARY KEY (id),
  KEY sms_code_phone (phone_index, created_at),
  KEY sms_code_address (address_index, created_at),
  KEY sms_code_network (network, created_at),
  KEY sms_code_segment (segment, created_at, redeemed_at),
  KEY sms_code_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
