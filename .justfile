# The handful of commands there are. `just` is optional; .ci/run needs none of it.

default: check

# As fast as it gets: does it build, does it read well?
check:
    cargo clippy --all-targets

# All tests, or those whose name contains the filter.
test *filter:
    cargo test {{filter}}

# What must pass before anything lands.
ci:
    .ci/run

# The house's own book.
doc:
    cargo doc --no-deps --document-private-items --open

# A small binary, slowly.
dist:
    cargo build --profile dist
