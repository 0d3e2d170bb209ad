-- Who may do what in docker-compose.yml's PostgreSQL. It runs once, as superuser, when the volume is new.
\set owner_password `cat /run/secrets/postgres_password_flash_owner`
\set flash_password `cat /run/secrets/postgres_password_flash`

-- Makes the tables (flash migrate).
CREATE ROLE flash_owner LOGIN PASSWORD :'owner_password';
-- Reads and writes rows (gateways and syncers).
CREATE ROLE flash LOGIN PASSWORD :'flash_password';

ALTER DATABASE flash OWNER TO flash_owner;
REVOKE ALL ON DATABASE flash FROM PUBLIC;
GRANT CONNECT ON DATABASE flash TO flash;
ALTER DEFAULT PRIVILEGES FOR ROLE flash_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO flash;
