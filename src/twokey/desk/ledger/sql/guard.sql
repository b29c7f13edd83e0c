-- A balance's counters move only inside ledger_move, whoever asks. (The condition is short because every UPDATE sets it
-- up anew, and a movement's UPDATE is the hottest of all.)
CREATE OR REPLACE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.units_reserved, OLD.units_drawn, OLD.value_reserved, OLD.value_drawn, OLD.uses_reserved, OLD.uses_drawn)
       IS DISTINCT FROM
       (NEW.units_reserved, NEW.units_drawn, NEW.value_reserved, NEW.value_drawn, NEW.uses_reserved, NEW.uses_drawn) THEN
        RAISE EXCEPTION 'the counters of a balance move only through ledger_move' USING ERRCODE = 'TK403';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER ledger_balance_guard BEFORE UPDATE ON ledger_balance FOR EACH ROW
WHEN (current_setting('twokey.moving', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION ledger_guard();
