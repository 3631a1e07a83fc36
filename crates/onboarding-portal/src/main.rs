//! The reference provider: data API, webhook sender, demo fleet, faults on demand.

fn main() {}
