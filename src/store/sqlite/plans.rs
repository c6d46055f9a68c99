//! Every hot statement finds its rows by index.
