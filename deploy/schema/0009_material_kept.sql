-- What an upload asks of its order: the materials that the store is needed for, however many were discarded, and what
-- their copies take.

ALTER TABLE material
  ADD KEY material_kept (order_id, state),
  DROP KEY material_digest;

ALTER TABLE inspection
  ADD COLUMN copies_size BIGINT NOT NULL DEFAULT 0 COMMENT 'bytes of all copies' AFTER pages;

UPDATE inspection i SET copies_size = (SELECT COALESCE(SUM(c.size), 0) FROM material_copy c WHERE c.original = i.file);
