-- What slu 0.1.0 made before it had migrations, by Python's iterdump.
CREATE TABLE feedback (
	id INTEGER NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	received DATETIME NOT NULL,
	model_version VARCHAR(100) NOT NULL,
	predicted JSON NOT NULL,
	confidence FLOAT,
	actual JSON NOT NULL,
	comment VARCHAR(500) NOT NULL,
	state VARCHAR(20) NOT NULL,
	audio_sha256 VARCHAR(64),
	audio_path VARCHAR(200),
	PRIMARY KEY (id)
);
INSERT INTO "feedback" VALUES(1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-11-26 11:37:36.757916','20260101-000000-abcdef01','{"product": "tea", "quantity": "1"}',0.4,'{"product": "milk", "quantity": "1"}','pelan 🙂','new',NULL,NULL);
INSERT INTO "feedback" VALUES(2,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.1','2026-11-26 11:37:36.831214','20260101-000000-abcdef01','{"product": "tea", "quantity": "1"}',0.9,'{"product": "tea", "quantity": "2"}','','new','1111111111111111111111111111111111111111111111111111111111111111','feedback_audio/1111111111111111111111111111111111111111111111111111111111111111.wav');
INSERT INTO "feedback" VALUES(3,'cccccccccccccccccccccccccccccccc','2026-11-26 11:37:36.870980','20260101-000000-abcdef01','{"product": "tea", "quantity": "1"}',0.9,'{"product": "tea", "quantity": "1"}','','new','2222222222222222222222222222222222222222222222222222222222222222','feedback_audio/2222222222222222222222222222222222222222222222222222222222222222.flac');
CREATE INDEX ix_feedback_request_id ON feedback (request_id);
