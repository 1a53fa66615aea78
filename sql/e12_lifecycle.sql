-- E12 · The life of a model: versions, the one in use, proof that a version is what it claims to be.
-- Run it from the top folder: apus -f sql/e12_lifecycle.sql

CREATE TABLE homes AS
SELECT i AS id, split_hash(i, 1)::FLOAT AS size, 3 * split_hash(i, 1) + 1 AS price FROM range(500) r(i);

CREATE MODEL prices INPUT (size FLOAT) OUTPUT (price FLOAT)
  TRANSFORM (standardize(size) AS size) SEQUENTIAL (linear(8), relu(), linear(1)) OPTIONS (seed = 7, epochs = 2);

CREATE TABLE first AS FROM (TRAIN MODEL prices FROM homes);
CREATE TABLE second AS FROM (TRAIN MODEL prices AS VERSION longer FROM homes OPTIONS (epochs = 4));

SHOW MODELS;
SELECT property, name, value FROM (DESCRIBE MODEL prices) WHERE property <> 'loss';
SHOW CREATE MODEL prices;
SELECT version, alias, is_default, epochs, rows FROM (SHOW VERSIONS IN MODEL prices);

ALTER MODEL prices SET DEFAULT VERSION 1;
SELECT version, is_default FROM (SHOW VERSIONS IN MODEL prices);

ALTER MODEL prices VERSION 1 SET ALIAS 'champion';
SELECT bool_and(PREDICT(MODEL prices) = PREDICT(MODEL prices VERSION champion)) AS is_the_same FROM homes;

-- Trained again from the receipt, compared bit for bit.
VERIFY MODEL prices VERSION longer;

-- The network runs behind the filter, over the column that it reads.
SET threads = 1;
EXPLAIN SELECT PREDICT(MODEL prices) AS price FROM homes WHERE size < 0.5;

ALTER MODEL prices SET DEFAULT VERSION 2;
ALTER MODEL prices ROLLBACK;
DROP MODEL prices VERSION longer;
SELECT version, alias, is_default FROM (SHOW VERSIONS IN MODEL prices);
