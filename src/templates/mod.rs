//! What is written: the embedded catalogue and identity templates, their overrides in the home, rendering.
