-- E1 · The quickstart of Spark-Keras: a frame of random numbers, a network of one layer, predictions.
-- Run it from the top folder: apus -f sql/e01_quickstart.sql

SELECT setseed(0.42);

CREATE TABLE spark_df AS
SELECT randn() AS feature1, randn() AS label1, 0 AS partition_id FROM range(100);

CREATE MODEL m INPUT (feature1 FLOAT) OUTPUT (label1 FLOAT)
  GRAPH (linear(feature1, 1) AS label1)
  OPTIONS (loss = 'mean_squared_error', optimizer = 'adam', init = 'keras');

-- The epochs are rows. Random labels cannot be learned, but their mean can.
WITH history AS (TRAIN MODEL m FROM spark_df PARTITION BY partition_id OPTIONS (batch_size = 10, epochs = 100))
SELECT count(*) AS epochs, last(loss ORDER BY epoch) < first(loss ORDER BY epoch) AS has_learned FROM history;

SELECT count(model_output.label1) AS predictions, typeof(any_value(model_output.label1)) AS type
FROM PREDICT(MODEL m, TABLE spark_df);
