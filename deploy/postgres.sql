-- Who may do what in docker-compose.yml's PostgreSQL. It runs once, as superuser, when the volume is new.
\set owner_password `cat /run/secrets/postgres_password_flash_owner`
\set gateway_password `cat /run/secrets/postgres_password_flash_gateway`
\set syncer_password `cat /run/secrets/postgres_password_flash_syncer`

-- Makes the tables (flash migrate).
CREATE ROLE flash_owner LOGIN PASSWORD :'owner_password';
-- Read and write rows: what each may do is granted by flash migrate (crates/vault/src/sql/roles), once there are tables.
CREATE ROLE flash_gateway LOGIN PASSWORD :'gateway_password';
CREATE ROLE flash_syncer LOGIN PASSWORD :'syncer_password';

ALTER DATABASE flash OWNER TO flash_owner;
REVOKE ALL ON DATABASE flash FROM PUBLIC;
GRANT CONNECT ON DATABASE flash TO flash_gateway, flash_syncer;
-- Grants of one role on the schema are its owner's to give.
ALTER SCHEMA public OWNER TO flash_owner;
