-- A user may have done most of all that was done, and little of one kind; the same is true of a state.

CREATE INDEX events_by_user_and_kind   ON events (username, kind, at, action, sequence);
CREATE INDEX actions_by_state_and_kind ON actions (state, kind, begun, id);
