//! How work gets done: dispatch, attempt, lease, conclusion, recovery, watch.
