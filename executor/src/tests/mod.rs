mod exits;
mod lending;
mod many_batches;
mod oracle;
mod prepare;
mod shards;
mod small_batches;
mod workloads;
