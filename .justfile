# The handful of commands there are. `just` is optional; .ci/run needs none of it.

default: check

# As fast as it gets: does it build, does it read well?
check:
    cargo clippy --all-targets

# All tests, or those whose name contains the filter.
test *filter:
    cargo test {{filter}}

# Kills hubs at random moments, a thousand times or as often as said. `EYAS_SEED` begins chance anew.
sweep kills="1000":
    EYAS_KILLS={{kills}} cargo test --test suite -- --nocapture at_random_moments
    EYAS_KILLS={{kills}} cargo test --test postgres -- --nocapture at_random_moments

# What a history of a million runs and twenty million events changes, on both stores; takes long.
history runs="1000000" events="20000000":
    cargo bench --bench queue -- history {{runs}} {{events}}

# Every agent that can be installed, against fake models: minutes, and gigabytes in the clients' cache.
agents *words:
    tests/clients/run --slow {{words}}

# What must pass before anything lands.
ci:
    .ci/run

# The house's own book.
doc:
    cargo doc --no-deps --document-private-items --open

# A small binary, slowly.
dist:
    cargo build --profile dist

# Feeds what reads lines and answers with a million texts each, or as many as said. `EYAS_SEED` begins elsewhere.
fuzz texts="1000000":
    EYAS_FUZZ={{texts}} cargo test --release --lib -- --nocapture --test-threads 1 fuzz
