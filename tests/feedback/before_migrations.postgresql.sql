-- What slu 0.1.0 made before it had migrations, by pg_dump --inserts without its settings.
CREATE TABLE feedback (
    id integer NOT NULL,
    request_id character varying(64) NOT NULL,
    received timestamp with time zone NOT NULL,
    model_version character varying(100) NOT NULL,
    predicted json NOT NULL,
    confidence double precision,
    actual json NOT NULL,
    comment character varying(500) NOT NULL,
    state character varying(20) NOT NULL,
    audio_sha256 character varying(64),
    audio_path character varying(200)
);
CREATE SEQUENCE feedback_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE feedback_id_seq OWNED BY feedback.id;
ALTER TABLE ONLY feedback ALTER COLUMN id SET DEFAULT nextval('feedback_id_seq'::regclass);
INSERT INTO feedback VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '2026-11-26 11:37:49.610545+00', '20260101-000000-abcdef01', '{"product": "tea", "quantity": "1"}', 0.4, '{"product": "milk", "quantity": "1"}', 'pelan 🙂', 'new', NULL, NULL);
INSERT INTO feedback VALUES (2, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.1', '2026-11-26 11:37:49.660118+00', '20260101-000000-abcdef01', '{"product": "tea", "quantity": "1"}', 0.9, '{"product": "tea", "quantity": "2"}', '', 'new', '1111111111111111111111111111111111111111111111111111111111111111', 'feedback_audio/1111111111111111111111111111111111111111111111111111111111111111.wav');
INSERT INTO feedback VALUES (3, 'cccccccccccccccccccccccccccccccc', '2026-11-26 11:37:49.718689+00', '20260101-000000-abcdef01', '{"product": "tea", "quantity": "1"}', 0.9, '{"product": "tea", "quantity": "1"}', '', 'new', '2222222222222222222222222222222222222222222222222222222222222222', 'feedback_audio/2222222222222222222222222222222222222222222222222222222222222222.flac');
SELECT pg_catalog.setval('feedback_id_seq', 3, true);
ALTER TABLE ONLY feedback ADD CONSTRAINT feedback_pkey PRIMARY KEY (id);
CREATE INDEX ix_feedback_request_id ON feedback USING btree (request_id);
