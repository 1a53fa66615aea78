-- E9 · Example 2: forecasts of sales by a recurrent network, from windows of 30 days that never cross
-- from one product to another. Run it from the top folder: apus -f sql/e09_forecast.sql

COPY (
  SELECT p AS product_id, DATE '2024-01-01' + d::INTEGER AS date,
         (5 + 3 * sin(2 * pi() * (d + p) / 7) + 0.2 * split_hash(p * 1000 + d, 1)) / 2 AS sales
  FROM range(4) a(p) CROSS JOIN range(70) b(d) CROSS JOIN range(2) c(half)
) TO 'build/transactions.parquet' (FORMAT parquet);

CREATE VIEW daily AS
SELECT product_id, date, sum(sales) AS daily_sales FROM 'build/transactions.parquet' GROUP BY product_id, date;

CREATE MODEL lstm_forecaster INPUT (history FLOAT[30]) OUTPUT (next_sales FLOAT)
  SEQUENTIAL (reshape(30, 1), lstm(8, num_layers => 2), last(), linear(1))
  OPTIONS (loss = 'mse', epochs = 80, learning_rate = 0.02, batch_size = 16);

WITH h AS (
  TRAIN MODEL lstm_forecaster FROM (
    SELECT list(daily_sales) OVER w AS history,
           lead(daily_sales) OVER (PARTITION BY product_id ORDER BY date) AS next_sales
    FROM daily
    WINDOW w AS (PARTITION BY product_id ORDER BY date ROWS BETWEEN 29 PRECEDING AND CURRENT ROW)
    QUALIFY count(*) OVER w = 30 AND next_sales IS NOT NULL)
    VALIDATION SPLIT 0.1)
SELECT max(rows) AS windows, min(val_loss) < 1 AS has_learned FROM h;

COPY (SELECT product_id, PREDICT(MODEL lstm_forecaster, (list(daily_sales ORDER BY date))[-30:]) AS forecast
      FROM daily GROUP BY product_id HAVING count(*) >= 30) TO 'build/forecasts.parquet';

-- Tomorrow's sales follow the week's rhythm.
SELECT count(*) AS products,
       max(abs(forecast - (5 + 3 * sin(2 * pi() * (70 + product_id) / 7)))) < 2 AS is_close
FROM 'build/forecasts.parquet';
