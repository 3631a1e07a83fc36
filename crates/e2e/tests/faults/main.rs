//! What the system does when something fails: processes and servers that are really killed, a provider in trouble,
//! garbage on queues. In every case: no lost record, no double effect, right counts, a state that says what happened.

mod garbage;
mod provider;
mod servers;
mod webhooks;
mod workers;
