mod many_batches;
mod oracle;
mod shards;
mod small_batches;
mod workloads;
