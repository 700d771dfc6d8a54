//! The play: what happens, step by step.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use alloy_primitives::{Address, B256, U256};
use anyhow::{Context, Result, ensure};
use p3_field::PrimeField64 as _;
use shardfold_executor::workload::CHAIN_ID;
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files::{self, FileContent};
use shardfold_protocol::state::{State, StateFile};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::artefact::Artefact;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IRollup::{
    claimCall, collectCall, earnedCall, registerAssetCall,
};
use shardfold_settlement::withdrawals::Withdrawal;
use shardfold_submitter::anvil::Anvil;
use shardfold_submitter::deploy::{self, Terms};
use shardfold_submitter::key;

use super::orders::{every_kind, opening};
use super::people::{
    ALICE, COIN, COIN_DIGITS, DAVE, DEPOSITS, ERIN, ETHER, OPERATOR, Person, keys, people, vault,
};
use super::steps::Steps;
use super::{books, people as cast};
use crate::commands::input::read_content;
use crate::output::Printer;

/// The chain id that local chains have.
const BASE_CHAIN: u64 = 31_337;
/// The least price of an item, in wei.
const PRICE: u64 = 1_000_000_000_000_000;
const DEPLOYER: Address = Address::repeat_byte(0xde);
/// A token as most are, of which anybody makes some.
const TOKEN: &str = include_str!("../../../../settlement/evm/test/artefacts/Token.json");
/// So deep an item is when it is taken.
const DEPTH: u64 = 3;
/// Between the two batches, in seconds: interest has to grow.
const LATER: u64 = 3_600;

/// What all steps need.
struct Play<'a> {
    steps: Steps<'a>,
    folder: &'a Path,
    anvil: Anvil,
    /// The contract and the token.
    places: [Address; 2],
    people: Vec<Person>,
    profile: Profile,
}

/// Plays all of it.
pub async fn play(program: &Path, folder: &Path, profile: Profile, printer: Printer) -> Result<()> {
    let start = Instant::now();
    let mut play = Play::new(program, folder, profile, printer).await?;
    play.pay_in().await?;
    play.first_batch().await?;
    play.prove_and_settle(1, DataMode::Calldata).await?;
    play.second_batch().await?;
    play.prove_and_settle(2, DataMode::Blobs).await?;
    play.claim(1).await?;
    play.claim(2).await?;
    let state = play.rebuild()?;
    play.steps.say("# does it add up?");
    books::check(&play.anvil, play.places, &play.people, &state, printer).await?;
    let seconds = start.elapsed().as_secs_f64();
    play.steps.say(&format!("all of it in {seconds:.1} s"));
    play.say_how_to_leave();
    Ok(())
}

impl<'a> Play<'a> {
    /// A chain with the contracts on it, people with money, and an empty ledger.
    async fn new(
        program: &Path,
        folder: &'a Path,
        profile: Profile,
        printer: Printer,
    ) -> Result<Self> {
        let steps = Steps::new(folder, profile, printer)?;
        steps.say("# a chain, and a ledger that holds nothing");
        let anvil = Anvil::start(program, BASE_CHAIN).await?;
        let state = StateFile {
            chain_id: CHAIN_ID,
            head: None,
            vaults: vec![],
            records: vec![],
        };
        fs::write(folder.join("state-0.bin"), files::to_binary(&state)?)?;
        let state = State::try_from(&state)?;
        let operator = operator(folder)?;
        let settlement = steps.settlement_key()?;
        anvil.fund(DEPLOYER, ether(100)).await?;
        let data = settlement
            .verifier_data()
            .context("the key makes no verifier")?;
        let (verifier, gas) = deploy::verifier(&anvil, DEPLOYER, &data).await?;
        steps.say(&format!(
            "the verifier of {} at {verifier}: {gas} gas",
            profile.name()
        ));
        let terms = Terms {
            deployer: DEPLOYER,
            ledger: CHAIN_ID,
            root: word(&state.head().state_root),
            price: U256::from(PRICE),
            operator,
        };
        let (rollup, gas) = deploy::rollup(&anvil, &terms, verifier).await?;
        steps.say(&format!("the contract at {rollup}: {gas} gas"));
        let code = Artefact::parse(TOKEN)?.creation;
        let (token, _) = deploy::create(&anvil, DEPLOYER, &code, &[]).await?;
        anvil.fund(operator, ether(100)).await?;
        let mut play = Self {
            people: people(&anvil, token, operator).await?,
            steps,
            folder,
            anvil,
            places: [rollup, token],
            profile,
        };
        play.register(Address::ZERO, COIN_DIGITS).await?;
        play.register(token, 0).await?;
        Ok(play)
    }

    /// Gives a token a number; the operator pays for it.
    async fn register(&mut self, token: Address, digits: u8) -> Result<()> {
        let call = registerAssetCall { token, digits };
        let operator = &mut self.people[OPERATOR];
        operator
            .call(&self.anvil, self.places[0], U256::ZERO, &call)
            .await?;
        Ok(())
    }

    async fn pay_in(&mut self) -> Result<()> {
        self.steps.say("# people pay in");
        for (who, asset, amount) in DEPOSITS {
            let person = &mut self.people[who];
            let gas = person
                .deposit(&self.anvil, self.places, asset, amount)
                .await?;
            let what = ["units of the coin", "units of the token"][asset as usize];
            let name = person.name;
            self.steps
                .say(&format!("{name} pays in {amount} {what}: {gas} gas"));
        }
        self.settle_down().await
    }

    /// Lets the queue's end become one at which a batch may end, and deep.
    async fn settle_down(&self) -> Result<()> {
        self.anvil.wait(300).await?;
        self.anvil.mine(DEPTH).await?;
        Ok(())
    }

    /// What the queue has, and a market.
    async fn first_batch(&mut self) -> Result<()> {
        self.steps
            .say("# the first batch: what waits in the queue, and Alice opens a market");
        self.deposits("state-0.bin", "queue-1.bin", &[])?;
        let queue: Batch = self.read("queue-1.bin")?;
        let state: StateFile = self.read("state-0.bin")?;
        let state = State::try_from(&state)?;
        let batch = opening(&keys(), &state, &queue.transactions, queue.time)?;
        self.write("batch-1.bin", &batch)
    }

    /// Every kind: what people sign, and what the queue has.
    async fn second_batch(&mut self) -> Result<()> {
        self.steps.say(
            "# an hour later: Dave pays in more, Erin asks for her vault without the operator",
        );
        self.anvil.wait(LATER).await?;
        self.people[DAVE]
            .deposit(&self.anvil, self.places, COIN, ETHER)
            .await?;
        let erin = &mut self.people[ERIN];
        let gas = erin
            .request_exit(&self.anvil, self.places[0], vault(ERIN, COIN))
            .await?;
        self.steps.say(&format!("forced exit: {gas} gas"));
        self.settle_down().await?;
        self.steps
            .say("# the second batch: every kind of transaction");
        let state: StateFile = self.read("state-1.bin")?;
        let state = State::try_from(&state)?;
        let time = self.anvil.time().await?;
        let orders = every_kind(&keys(), &state, time, BASE_CHAIN as u32)?;
        self.write("orders-2.bin", &orders)?;
        self.deposits("state-1.bin", "batch-2.bin", &["--into", "orders-2.bin"])
    }

    fn deposits(&self, state: &str, output: &str, more: &[&str]) -> Result<()> {
        let (contract, depth) = (self.places[0].to_string(), DEPTH.to_string());
        let arguments = [
            &[
                "deposits",
                "--contract",
                &contract,
                "--rpc",
                self.anvil.url(),
            ][..],
            &["--state", state, "-o", output, "--depth", &depth],
            more,
        ];
        self.steps.run(&arguments.concat())
    }

    /// Executes, proves, wraps and settles a batch, published in this way, by the operator's commands.
    async fn prove_and_settle(&mut self, number: u32, data: DataMode) -> Result<()> {
        let name = |what: &str, number: u32| format!("{what}-{number}.bin");
        let (batch, before, after) = (
            name("batch", number),
            name("state", number - 1),
            name("state", number),
        );
        let (proof, settlement) = (name("proof", number), name("settlement", number));
        let profile = self.steps.profile();
        let execute = ["execute", &batch, "--state", &before, "--state-out", &after];
        self.steps.run(&[&execute[..], &profile].concat())?;
        let changes = name("changes", number);
        let prove = ["prove", &batch, "--state", &before, "-o", &proof];
        let more = ["--changes", &changes];
        self.steps.run(&[&prove[..], &more, &profile].concat())?;
        let is_built_in = self.profile != Profile::UnsoundTest;
        let keys: [&[&str]; 2] = if is_built_in {
            [&[], &[]]
        } else {
            [
                &["--key", "validity.key"],
                &["--settlement-key", "settlement.key"],
            ]
        };
        let wrap = [
            &["wrap", &proof, "--changes", &changes][..],
            &["--data", data.name(), "-o", &settlement],
        ]
        .concat();
        self.steps.run(&[&wrap[..], keys[0]].concat())?;
        let contract = self.places[0].to_string();
        let settle = [
            &["settle", &settlement, "--changes", &changes][..],
            &["--contract", &contract, "--rpc", self.anvil.url()],
            &["--key", "operator.key", "--depth", "0"],
            &["--blobs", "archive/blobs"],
            keys[1],
        ];
        let settled = self.steps.ask(&settle.concat())?;
        let cost = settled["cost_wei"]
            .as_str()
            .context("what it cost is not said")?;
        self.people[OPERATOR].gas += cost.parse::<U256>()?;
        self.steps.say(&format!(
            "settled with {} gas and {} blob gas",
            settled["gas"], settled["blob_gas"]
        ));
        // Once more is no harm.
        let again = self.steps.ask(&settle.concat())?;
        ensure!(
            again["transaction"] == settled["transaction"],
            "it was settled by {} and then by {}",
            settled["transaction"],
            again["transaction"]
        );
        Ok(())
    }

    /// Pays everything that a batch owes.
    async fn claim(&mut self, number: u64) -> Result<()> {
        let settled: SettledBatch = self.read(&format!("changes-{number}.bin"))?;
        let Some(tree) = settled.tree() else {
            return Ok(());
        };
        self.steps
            .say("# what the batch owes is paid by the contract");
        let rollup = self.places[0];
        for (place, withdrawal) in settled.withdrawals.iter().enumerate() {
            let call = claimCall {
                batch: U256::from(number - 1),
                number: settled.statement.before.withdrawal_count + place as u64,
                entry: withdrawal.entry().to_vec().into(),
                path: tree.path(place),
            };
            // Anybody may ask; here it is Dave.
            let gas = self.people[DAVE]
                .call(&self.anvil, rollup, U256::ZERO, &call)
                .await?;
            self.note_paid(withdrawal, gas)?;
        }
        let settler = self.people[OPERATOR].address;
        let earned = self.anvil.ask(rollup, &earnedCall { settler }).await?;
        let operator = &mut self.people[OPERATOR];
        operator
            .call(&self.anvil, rollup, U256::ZERO, &collectCall {})
            .await?;
        operator.earned += earned;
        self.steps.say(&format!(
            "the operator collects {earned} wei for the items of the queue"
        ));
        Ok(())
    }

    fn note_paid(&mut self, withdrawal: &Withdrawal, gas: u64) -> Result<()> {
        let address = ExitAddress::from_elements(withdrawal.address);
        let address = address.context("a withdrawal goes to no address")?;
        let [asset, amount] = [withdrawal.asset, withdrawal.amount].map(|of| of.as_canonical_u64());
        let mut people = self.people.iter_mut();
        let person = people.find(|person| person.address == Address::from(address.0));
        let person = person.context("a withdrawal goes to nobody here")?;
        person.paid_out[asset as usize] += amount;
        let name = person.name;
        let what = ["units of the coin", "units of the token"][asset as usize];
        self.steps
            .say(&format!("{name} gets {amount} {what}: {gas} gas"));
        Ok(())
    }

    /// From the contract's events, and the blobs that were kept, to the same state.
    fn rebuild(&self) -> Result<State> {
        self.steps
            .say("# from what the contract has published anybody makes the state");
        let contract = self.places[0].to_string();
        let from = ["--contract", &contract, "--rpc", self.anvil.url()];
        let archive = ["archive", "-o", "archive"];
        self.steps.run(&[&archive[..], &from].concat())?;
        let rebuild = ["rebuild", "archive", "--genesis", "state-0.bin"];
        self.steps
            .run(&[&rebuild[..], &["-o", "rebuilt.bin"]].concat())?;
        let [rebuilt, executed] = ["rebuilt.bin", "state-2.bin"].map(|name| self.read(name));
        let (rebuilt, executed): (StateFile, StateFile) = (rebuilt?, executed?);
        ensure!(
            rebuilt.head == executed.head,
            "the rebuilt state is another one"
        );
        Ok(State::try_from(&rebuilt)?)
    }

    /// Says with which command the way out of somebody who has a bit of everything is rehearsed.
    fn say_how_to_leave(&self) {
        let leaver = &self.people[ALICE];
        let key = hex::encode(leaver.key().map(u64::to_be_bytes).concat());
        let place = |name| self.folder.join(name).display().to_string();
        let (archive, genesis, drill) = (place("archive"), place("state-0.bin"), place("drill"));
        let [profile, name] = self.steps.profile();
        self.steps.say(&format!(
            "# alice's way out, if nobody settles any more, is rehearsed by\n\
             shardfold exit-drill {archive} --genesis {genesis} {profile} {name} --owner-key {key} \
             --to {} -o {drill}",
            leaver.address
        ));
    }

    fn read<T: FileContent>(&self, name: &str) -> Result<T> {
        read_content("file", &self.folder.join(name))
    }

    fn write<T: FileContent>(&self, name: &str, content: &T) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, files::to_binary(content)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Makes the operator's key, which nobody else can read; returns its address.
fn operator(folder: &Path) -> Result<Address> {
    let secret = B256::from(rand::random::<[u8; 32]>());
    let path = folder.join("operator.key");
    fs::write(&path, "")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    fs::write(&path, format!("{}\n", hex::encode(secret)))?;
    Ok(key::read(&path)?.address())
}

fn ether(count: u64) -> U256 {
    U256::from(count) * U256::from(ETHER) * U256::from(cast::GWEI)
}
