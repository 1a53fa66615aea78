-- E4 · Pattern 2: inference over files. What is a pandas UDF with a broadcast model elsewhere is a
-- function here. Run it from the top folder: apus -f sql/e04_inference_at_scale.sql

COPY (SELECT i AS id, split_hash(i, 1)::FLOAT AS feature1, split_hash(i, 2)::FLOAT AS feature2,
             split_hash(i, 3)::FLOAT AS feature3 FROM range(200000) r(i))
  TO 'build/in.parquet' (FORMAT parquet);

CREATE MODEL reg3 INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT)
  SEQUENTIAL (linear(3, 16), relu(), linear(16, 1)) OPTIONS (epochs = 20, learning_rate = 0.01);

CREATE TABLE history AS
FROM (TRAIN MODEL reg3 FROM (SELECT feature1 AS a, feature2 AS b, feature3 AS c, feature1 + feature2 * feature3 AS y
                             FROM 'build/in.parquet' WHERE id < 5000));

COPY (SELECT *, PREDICT(MODEL reg3, feature1, feature2, feature3) AS prediction FROM 'build/in.parquet')
  TO 'build/predictions.parquet' (FORMAT parquet);

SELECT count(*) AS rows, round(sqrt(avg((prediction - (feature1 + feature2 * feature3)) ** 2)), 1) AS rmse
FROM 'build/predictions.parquet';
