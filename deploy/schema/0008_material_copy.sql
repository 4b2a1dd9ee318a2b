-- What the inspector found in a stored file, and the copies that it made: they are what anybody is shown.

-- One row a file of the store, whatever materials, or voucher, it stands for.
CREATE TABLE inspection (
  file         VARCHAR(64)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name in the store, as material.file and payment.voucher_file',
  width        INT UNSIGNED       NOT NULL COMMENT 'pixels, upright; of a PDF its first page',
  height       INT UNSIGNED       NOT NULL,
  orientation  TINYINT UNSIGNED   NOT NULL COMMENT 'EXIF, 1 to 8, as it was',
  hints        INT UNSIGNED       NOT NULL COMMENT 'bits, lib/inspect/inspect.h',
  pages        SMALLINT UNSIGNED  NOT NULL COMMENT 'that can be looked at: 1 of a picture',
  created_at   BIGINT             NOT NULL,
  PRIMARY KEY (file)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE material_copy (
  original     VARCHAR(64)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'inspection.file',
  page         SMALLINT UNSIGNED  NOT NULL COMMENT 'from 1; 0: the thumbnail',
  type         VARCHAR(20)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'image/jpeg, image/png',
  size         BIGINT             NOT NULL,
  width        INT UNSIGNED       NOT NULL,
  height       INT UNSIGNED       NOT NULL,
  sha256       BINARY(32)         NOT NULL,
  file         VARCHAR(64)        CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name in the store',
  wrapped_key  VARBINARY(96)      NOT NULL,
  PRIMARY KEY (original, page),
  UNIQUE KEY material_copy_file (file),
  CONSTRAINT material_copy_original_fk FOREIGN KEY (original) REFERENCES inspection (file)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
