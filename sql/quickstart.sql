-- A guided tour: one machine-learning pipeline, twice, each in a single script.
--
--     make demo            builds the program and runs this file
--     apus -f sql/quickstart.sql
--
-- Part 1 takes a small clinical data set from a CSV file to written predictions.
-- Part 2 does the same with a million people. Run it from the top folder of the project:
-- file names count from there. What it writes goes to build/.

.print
.print '1 · Breast cancer: 569 tumours, measured under the microscope'
.print

-- A file is a table. The reader finds out the delimiter, the header and the types by itself.
CREATE TABLE tumours AS FROM 'sql/data/breast_cancer.csv';

SELECT diagnosis, count(*) AS tumours, round(avg(mean_radius), 2) AS mean_radius,
       round(avg(worst_area), 1) AS worst_area
FROM tumours
GROUP BY diagnosis
ORDER BY diagnosis;

-- Features are a query. Areas and concavities have long tails, so their logarithms are taken.
-- split_hash gives each id a fixed number in [0, 1): the same rows are held out on every run, on
-- every machine, whatever the order of the rows.
CREATE VIEW features AS
SELECT id,
       CASE WHEN mean_radius < 12 THEN 'small' WHEN mean_radius < 16 THEN 'middle' ELSE 'large'
       END AS size_group,
       ln(mean_area) AS mean_area,
       mean_texture,
       mean_smoothness,
       ln(1 + mean_concavity) AS mean_concavity,
       ln(worst_area) AS worst_area,
       worst_texture,
       worst_smoothness,
       ln(1 + worst_concave_points) AS worst_points,
       (diagnosis = 'malignant')::INTEGER AS target,
       split_hash(id, 42) < 0.8 AS is_train
FROM tumours;

-- A network learns best from inputs around 0 with a spread of 1. Mean and deviation come from the
-- training rows alone: what is held out must not leak into the features.
CREATE TABLE samples AS
WITH scale AS (
  SELECT avg(mean_area) AS ma, stddev(mean_area) AS sa,
         avg(mean_texture) AS mt, stddev(mean_texture) AS st,
         avg(mean_smoothness) AS ms, stddev(mean_smoothness) AS ss,
         avg(mean_concavity) AS mc, stddev(mean_concavity) AS sc,
         avg(worst_area) AS mwa, stddev(worst_area) AS swa,
         avg(worst_texture) AS mwt, stddev(worst_texture) AS swt,
         avg(worst_smoothness) AS mws, stddev(worst_smoothness) AS sws,
         avg(worst_points) AS mwp, stddev(worst_points) AS swp
  FROM features
  WHERE is_train
)
SELECT id, size_group, target, is_train,
       (mean_area - ma) / sa AS mean_area,
       (mean_texture - mt) / st AS mean_texture,
       (mean_smoothness - ms) / ss AS mean_smoothness,
       (mean_concavity - mc) / sc AS mean_concavity,
       (worst_area - mwa) / swa AS worst_area,
       (worst_texture - mwt) / swt AS worst_texture,
       (worst_smoothness - mws) / sws AS worst_smoothness,
       (worst_points - mwp) / swp AS worst_points
FROM features CROSS JOIN scale;

-- The network is declared like a table: typed inputs and outputs, which meet columns by their names.
-- A width that does not fit is an error here, before anything runs.
CREATE MODEL tumour_classifier
  INPUT (mean_area FLOAT, mean_texture FLOAT, mean_smoothness FLOAT, mean_concavity FLOAT,
         worst_area FLOAT, worst_texture FLOAT, worst_smoothness FLOAT, worst_points FLOAT)
  OUTPUT (target FLOAT)
  SEQUENTIAL (linear(8, 64), relu(), dropout(0.3), linear(64, 32), relu(), linear(32, 1), sigmoid())
  OPTIONS (optimizer = 'adam', learning_rate = 0.003, loss = 'bce',
           epochs = 100, batch_size = 'full', seed = 42);

-- TRAIN is a source of rows, one for each epoch: it can be queried like any table.
.print
.print 'Training: the loss of every tenth epoch'
.print
WITH history AS (TRAIN MODEL tumour_classifier FROM (SELECT * FROM samples WHERE is_train))
SELECT epoch, round(loss, 4) AS loss
FROM history
WHERE epoch = 1 OR epoch % 10 = 0
ORDER BY epoch;

-- PREDICT finds its inputs among the columns, by name.
CREATE TABLE predictions AS
SELECT id, size_group, target, PREDICT(MODEL tumour_classifier) AS prediction
FROM samples
WHERE NOT is_train;

.print
.print 'On the tumours held out'
.print
SELECT count(*) AS tumours,
       round(avg((target = (prediction > 0.5)::INTEGER)::INTEGER), 4) AS accuracy
FROM predictions;

EVALUATE MODEL tumour_classifier FROM (SELECT * FROM samples WHERE NOT is_train)
  METRICS (accuracy, auc, logloss);

SELECT size_group, count(*) AS tumours,
       round(avg((target = (prediction > 0.5)::INTEGER)::INTEGER), 4) AS accuracy
FROM predictions
GROUP BY size_group
ORDER BY size_group;

-- Predictions leave as a Parquet file; and a file is a table.
COPY predictions TO 'build/tumour_predictions.parquet' (FORMAT parquet);

.print
.print 'The five the network is least sure of, read back from build/tumour_predictions.parquet'
.print
SELECT id, target, round(prediction, 4) AS prediction
FROM 'build/tumour_predictions.parquet'
ORDER BY abs(prediction - 0.5), id
LIMIT 5;

.print
.print '2 · The same with a million people'
.print

-- Made up, but the same on every machine: each column hashes the id with a seed of its own.
-- Whether somebody buys depends on age (most around 45), income and the day of the week.
COPY (
  WITH people AS (
    SELECT id,
           18 + 62 * split_hash(id, 1) AS age,
           exp(10.4 + 0.6 * sqrt(-2 * ln(1 - split_hash(id, 2)))
                    * cos(2 * pi() * split_hash(id, 3))) AS income,
           DATE '2025-01-01' + floor(365 * split_hash(id, 4))::INTEGER AS date,
           split_hash(id, 5) AS chance
    FROM range(1000000) AS r(id)
  )
  SELECT id, age, income, date,
         (chance < 1 / (1 + exp(-2 * (
           1.5 - pow((age - 45) / 10, 2) + 3 * (ln(1 + income) - 10.4)
           + 1.5 * (dayofweek(date) IN (0, 6))::INTEGER))))::INTEGER AS target
  FROM people
) TO 'build/people.parquet' (FORMAT parquet);

CREATE VIEW people_features AS
SELECT id, age, target,
       CASE WHEN age < 25 THEN 'young' WHEN age < 50 THEN 'middle' ELSE 'senior' END AS age_group,
       ln(1 + income) AS log_income,
       dayofweek(date) IN (0, 6) AS is_weekend,
       split_hash(id, 42) < 0.8 AS is_train
FROM 'build/people.parquet';

SELECT age_group, count(*) AS people, round(avg(target), 4) AS share_of_buyers
FROM people_features
GROUP BY age_group
ORDER BY people;

CREATE TABLE people_samples AS
WITH scale AS (
  SELECT avg(age) AS age_mean, stddev(age) AS age_deviation,
         avg(log_income) AS income_mean, stddev(log_income) AS income_deviation
  FROM people_features
  WHERE is_train
)
SELECT id, age_group, target, is_train, is_weekend,
       ((age - age_mean) / age_deviation)::FLOAT AS age,
       ((log_income - income_mean) / income_deviation)::FLOAT AS log_income
FROM people_features CROSS JOIN scale;

CREATE MODEL buyer_classifier
  INPUT (age FLOAT, log_income FLOAT, is_weekend BOOLEAN)
  OUTPUT (target FLOAT)
  SEQUENTIAL (linear(3, 64), relu(), dropout(0.3), linear(64, 32), relu(), linear(32, 1), sigmoid())
  OPTIONS (optimizer = 'adam', learning_rate = 0.001, loss = 'bce',
           epochs = 3, batch_size = 1024, seed = 42);

.print
.print 'Training on four fifths of them'
.print
WITH history AS (TRAIN MODEL buyer_classifier FROM (SELECT * FROM people_samples WHERE is_train))
SELECT epoch, round(loss, 4) AS loss, rows, round(seconds, 2) AS seconds
FROM history
ORDER BY epoch;

.print
.print 'On the people held out'
.print
EVALUATE MODEL buyer_classifier FROM (SELECT * FROM people_samples WHERE NOT is_train)
  METRICS (accuracy, auc, logloss);

-- All million people, each with its prediction, straight into a file.
COPY (
  SELECT id, age_group, is_train, target, PREDICT(MODEL buyer_classifier) AS prediction
  FROM people_samples
) TO 'build/people_predictions.parquet' (FORMAT parquet);

.print
.print 'By age, of those held out, read back from build/people_predictions.parquet'
.print
SELECT age_group, count(*) AS people, round(avg(target), 4) AS share_of_buyers,
       round(avg(prediction), 4) AS predicted_share,
       round(avg((target = (prediction > 0.5)::INTEGER)::INTEGER), 4) AS accuracy
FROM 'build/people_predictions.parquet'
WHERE NOT is_train
GROUP BY age_group
ORDER BY age_group;
