mod exits;
mod many_batches;
mod oracle;
mod prepare;
mod receipts;
mod shards;
mod small_batches;
mod workloads;
