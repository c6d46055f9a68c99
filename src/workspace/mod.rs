//! Where it happens: layout, provisioning (a plan, then one atomic write), identity text.
