-- E7 · Pattern B: real time. A network trained in PyTorch is loaded once; then one row, or a small
-- batch, is scored at a time. Run it from the top folder: apus -f sql/e07_real_time.sql

CREATE MODEL live INPUT (features FLOAT[3]) OUTPUT (score FLOAT) SEQUENTIAL (linear(3, 64), relu(), linear(64, 1));

-- sql/data/scorer.pth: torch.save(net.state_dict(), …) of nn.Sequential(Linear(3, 64), ReLU(), Linear(64, 1)).
ALTER MODEL live LOAD WEIGHTS FROM 'sql/data/scorer.pth' (FORMAT pytorch, STRICT true);

PREPARE score AS SELECT round(PREDICT(MODEL live, $1::FLOAT[3]), 4) AS score;

-- PyTorch says -0.8903, 0.3541 and 0.1020.
EXECUTE score([0.1, 2.0, 5.0]);
EXECUTE score([1.0, 0.0, -1.0]);
EXECUTE score([0.5, 0.5, 0.5]);

CREATE TABLE scored (id INTEGER, score FLOAT);
CREATE TABLE incoming_batch (id INTEGER, features FLOAT[3]);
INSERT INTO incoming_batch VALUES (1, [0.1, 2.0, 5.0]), (2, [1.0, 0.0, -1.0]);
INSERT INTO scored SELECT id, PREDICT(MODEL live, features) FROM incoming_batch;

SELECT id, round(score, 4) AS score FROM scored ORDER BY id;
