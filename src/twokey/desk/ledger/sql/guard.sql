-- A balance's counters move only inside ledger_move, whoever asks.
CREATE OR REPLACE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('twokey.moving', true), '') <> 'on' THEN
        RAISE EXCEPTION 'the counters of a balance move only through ledger_move' USING ERRCODE = 'TK403';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER ledger_balance_guard BEFORE UPDATE ON ledger_balance FOR EACH ROW
WHEN (OLD.units_reserved <> NEW.units_reserved OR OLD.units_drawn <> NEW.units_drawn
      OR OLD.value_reserved <> NEW.value_reserved OR OLD.value_drawn <> NEW.value_drawn
      OR OLD.uses_reserved <> NEW.uses_reserved OR OLD.uses_drawn <> NEW.uses_drawn)
EXECUTE FUNCTION ledger_guard();
