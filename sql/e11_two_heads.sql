-- E11 · Many inputs, many outputs: the network is a select list, each output has its loss.
-- Run it from the top folder: apus -f sql/e11_two_heads.sql

CREATE TABLE homes AS
SELECT i AS id, 2020 + i % 5 AS year, 20 + (i * 7) % 50 AS age, exp(9 + split_hash(i, 1)) AS income,
       (['rome', 'oslo', 'bern'])[1 + i % 3] AS city, 1 + i % 2 AS importance,
       (10 * split_hash(i, 1) + i % 3)::FLOAT AS price,
       CASE WHEN split_hash(i, 1) < 0.5 THEN 'basic' WHEN i % 3 = 0 THEN 'mid' ELSE 'luxury' END AS segment
FROM range(2000) r(i);

CREATE MODEL two_heads INPUT (age FLOAT, income FLOAT, city VARCHAR) OUTPUT (price FLOAT, segment VARCHAR)
  TRANSFORM (standardize(age) AS a, standardize(ln(income)) AS i, category(city) AS c)
  GRAPH (embedding(c, 8) AS cv, relu(linear(concat(a, i, cv), 64)) AS h, linear(h, 1) AS price, softmax(linear(h)) AS segment)
  OPTIONS (loss = {price: 'mse', segment: 'cross_entropy'}, loss_weights = {price: 1, segment: 0.5},
           class_weights = 'balanced', seed = 7, learning_rate = 0.005);

WITH h AS (TRAIN MODEL two_heads FROM homes WEIGHT importance VALIDATION WHERE year = 2024)
SELECT epoch, rows, val_price_loss < 1 AS prices_are_close, val_segment_accuracy > 0.9 AS segments_are_right
FROM h WHERE epoch = 10;

SELECT id, round(model_output.price) AS price, model_output.segment,
       round(model_output.segment_probs['luxury'], 1) AS luxury
FROM PREDICT(MODEL two_heads, TABLE homes) WHERE id IN (0, 7, 10) ORDER BY id;

-- Only the price is asked for: the layers of the segment do not run.
SELECT avg(abs(model_output.price - price)) < 0.5 AS prices_are_close FROM PREDICT(MODEL two_heads, TABLE homes);
