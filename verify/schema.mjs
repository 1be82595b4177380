// @ts-check

/** A name that begins with it is refused at COMMIT. */
export const doomedPrefix = 'doomed ';
/** A name that begins with it takes its time to commit. */
export const slowPrefix = 'slow ';

/**
 * Every version that is committed is noted in the same transaction; some writes fail at the last moment; some commits take
 * long enough to be hit. `verify_era` counts how often the database went back to what it was.
 */
export const instruments = `
CREATE TABLE verify_era (era int NOT NULL);
INSERT INTO verify_era VALUES (0);
CREATE TABLE verify_committed (entity text, id text, version int, name text, category text, era int, tx text);
CREATE FUNCTION verify_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  found jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
  INSERT INTO verify_committed SELECT TG_TABLE_NAME, found->>'id',
    (found->>'version')::int + (CASE WHEN TG_OP = 'DELETE' THEN 1 ELSE 0 END),
    CASE WHEN TG_OP = 'DELETE' THEN 'gone' ELSE found->>'name' END,
    CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE coalesce(found->>'category', found->>'box_id') END,
    era, pg_current_xact_id()::text FROM verify_era;
  RETURN NULL;
END $$;
CREATE FUNCTION verify_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF starts_with(NEW.name, '${slowPrefix}') THEN PERFORM pg_sleep(0.02); END IF;
  IF starts_with(NEW.name, '${doomedPrefix}') THEN RAISE EXCEPTION 'refused at COMMIT'; END IF;
  RETURN NULL;
END $$;
${instrumented('items')}`;

/** The tables of `verify/service/entities.ts`. */
export const furtherTables = `
CREATE TABLE documents (id uuid PRIMARY KEY, name text NOT NULL, category text NOT NULL, version int NOT NULL DEFAULT 1);
CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL, category text NOT NULL, version int NOT NULL DEFAULT 1);
CREATE TABLE boxes (id int PRIMARY KEY, name text NOT NULL, category text NOT NULL, version int NOT NULL DEFAULT 1);
CREATE TABLE parts (id int PRIMARY KEY, name text NOT NULL, box_id int NOT NULL REFERENCES boxes, version int NOT NULL DEFAULT 1);
CREATE FUNCTION verify_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;
CREATE FUNCTION verify_deferred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.name LIKE '% deferred' THEN
    UPDATE accounts SET name = name || '!' WHERE id = NEW.id AND name = NEW.name;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER verify_deferred AFTER INSERT OR UPDATE ON accounts
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION verify_deferred();
${['documents', 'accounts', 'boxes', 'parts']
  .map(
    (table) => `
ALTER TABLE ${table} REPLICA IDENTITY FULL;
ALTER PUBLICATION strata_feed ADD TABLE ${table};
CREATE TRIGGER verify_version BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION verify_version();
${instrumented(table)}`,
  )
  .join('')}`;

/** @param {string} table */
function instrumented(table) {
  return `
CREATE TRIGGER verify_note AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION verify_note();
CREATE CONSTRAINT TRIGGER verify_commit AFTER INSERT OR UPDATE ON ${table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION verify_commit();`;
}
