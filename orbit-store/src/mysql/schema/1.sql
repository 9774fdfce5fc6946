-- Every text is kept as the bytes of its UTF-8: it is equal to nothing but itself, sorts by code point,
-- and trailing spaces count, whatever character set and collation the server prefers. Columns that end in
-- _folded or _order exist to search and sort by.
--
-- Each statement can be repeated: MySQL commits every one of them by itself, so a setup that was cut
-- short runs them all again.

CREATE TABLE IF NOT EXISTS installation (
  only_row TINYINT UNSIGNED NOT NULL PRIMARY KEY CHECK (only_row = 1),
  id       VARBINARY(255)   NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- What images are searched and sorted by: one narrow row per image, for ever.
--
-- Every index but the first ends in all the columns that narrow a search, so a search reads nothing but
-- the one index that it goes through until it knows which images are on its page. The directions are
-- those of the orders: equal images are in ascending order even where the newest comes first.
CREATE TABLE IF NOT EXISTS images (
  id              INT UNSIGNED      NOT NULL AUTO_INCREMENT PRIMARY KEY,
  image_uid       VARBINARY(60)     NOT NULL,
  image_version   VARBINARY(33)     NOT NULL,
  version_order   BINARY(12)        NOT NULL,
  environment     VARBINARY(63)     NOT NULL,
  status          VARBINARY(8)      NOT NULL,
  name_folded     VARBINARY(800)    NOT NULL,
  category        VARBINARY(400)    NOT NULL,
  category_folded VARBINARY(400)    NOT NULL,
  part            VARBINARY(400),
  tail            VARBINARY(400),
  scanned         TINYINT UNSIGNED  NOT NULL,
  created         BIGINT            NOT NULL,
  updated         BIGINT            NOT NULL,
  text_folded     MEDIUMBLOB        NOT NULL,
  UNIQUE INDEX images_by_id (image_uid, version_order),
  INDEX images_by_newest      (created DESC, image_uid, version_order, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_oldest      (created, image_uid, version_order, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_last_change (updated DESC, image_uid, version_order, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_change      (updated, image_uid, version_order, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_name        (name_folded, image_uid, version_order, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_name_back   (name_folded DESC, image_uid, version_order, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_category    (category_folded, created DESC, image_uid, version_order, environment, status, scanned, part, tail),
  INDEX images_by_part        (part, created DESC, image_uid, version_order, environment, status, scanned, category_folded, tail),
  INDEX images_by_tail        (tail, created DESC, image_uid, version_order, environment, status, scanned, category_folded, part),
  INDEX images_by_version     (version_order, created DESC, image_uid, environment, status, scanned, category_folded, part, tail),
  INDEX images_by_environment (environment, created DESC, image_uid, version_order, status, scanned, category_folded, part, tail),
  INDEX images_by_status      (status, created DESC, image_uid, version_order, environment, scanned, category_folded, part, tail),
  INDEX images_by_scanned     (scanned, created DESC, image_uid, version_order, environment, status, category_folded, part, tail)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Everything that Orbit knows of an image, which is read of the images of a page alone.
CREATE TABLE IF NOT EXISTS image_documents (
  id       INT UNSIGNED    NOT NULL PRIMARY KEY,
  revision BIGINT UNSIGNED NOT NULL,
  writer   VARBINARY(26)   NOT NULL,
  image    LONGBLOB        NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- The first bytes of what follows each character of text_folded. A text of up to so many bytes lies
-- somewhere in an image if a piece of that image begins with it.
CREATE TABLE IF NOT EXISTS image_pieces (
  piece VARBINARY(12) NOT NULL,
  id    INT UNSIGNED  NOT NULL,
  PRIMARY KEY (piece, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
