//! A face finds its hub, or starts one.
