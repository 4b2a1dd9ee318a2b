-- What was submitted stays what is reviewed; one file may serve several materials of an order; how much is stored.

ALTER TABLE certificate_order
  ADD COLUMN materials_sha256 BINARY(32) NULL COMMENT 'of the set of materials as submitted' AFTER agreement_at;

ALTER TABLE material
  DROP KEY material_file,
  ADD KEY material_file (file),
  ADD KEY material_digest (order_id, sha256);

-- Bytes stored for an account or a hall. Several rows a hall, so that uploads do not wait for one another.
CREATE TABLE material_usage (
  scope  VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'account, hall',
  owner  VARCHAR(64) NOT NULL COMMENT 'row of the account, name of the hall',
  shard  TINYINT     NOT NULL,
  bytes  BIGINT      NOT NULL,
  PRIMARY KEY (scope, owner, shard)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
