-- Messages that the language model labels as a teacher of our own models: which were chosen, and what became of it.
SET lock_timeout = '5s';

CREATE TABLE teacher_turns (
    message_id uuid PRIMARY KEY,                               -- never twice the same one
    message_created_at timestamptz NOT NULL,                   -- finds it among the partitions
    chosen_by text NOT NULL CHECK (chosen_by IN ('random', 'uncertain')),
    attempts smallint NOT NULL DEFAULT 0,                      -- answers of the model that did not say what was asked
    taken_at timestamptz,                                      -- by a worker that asks the model now
    done_at timestamptz,
    outcome text CHECK (outcome IN ('labelled', 'refused', 'gone')), -- refused: no usable answer; gone: no words any more
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((done_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX teacher_turns_age ON teacher_turns (created_at);
CREATE INDEX teacher_turns_waiting ON teacher_turns (created_at, message_id) WHERE done_at IS NULL;
