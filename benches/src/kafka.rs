//! A real Kafka for one measurement.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use generator::Topic;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

const HOME: &str = "LEDGERLENS_KAFKA_HOME";
/// As a company would have them; more than cores, so that nothing rests on one partition.
const PARTITIONS: i32 = 4;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A running broker; stopped and removed when it is dropped, and by its own watcher if this process is killed.
pub(crate) struct Kafka {
    dir: PathBuf,
    pub(crate) brokers: String,
}

impl Kafka {
    pub(crate) fn start(scratch: &Path) -> Result<Self> {
        if std::env::var_os(HOME).is_none() {
            bail!("it needs a real Kafka, and {HOME} is not set: use ./run bench, which sets one up");
        }
        let dir = scratch.join("kafka");
        let output = Command::new(node_script())
            .arg("start")
            .arg(&dir)
            .args(["--owner", &std::process::id().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context(
                "scripts/kafka/node cannot be run; start benchmarks in the root of the checkout, as ./run bench does",
            )?;
        let said = String::from_utf8_lossy(&output.stdout);
        let brokers = said.lines().find_map(|line| line.strip_prefix("brokers="));
        match brokers {
            Some(brokers) => Ok(Kafka {
                dir,
                brokers: brokers.to_owned(),
            }),
            None => bail!("Kafka did not start ({}); what it said is above", output.status),
        }
    }

    /// Makes the default topics. `retention_bytes`: what the broker may keep of all of them together.
    pub(crate) fn make_topics(&self, retention_bytes: Option<u64>) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .context("a Kafka client")?;
        let partitions = u64::from(PARTITIONS.unsigned_abs()) * Topic::ALL.len() as u64;
        let share = retention_bytes.map(|bytes| (bytes / partitions).to_string());
        let topics: Vec<NewTopic<'_>> = Topic::ALL
            .iter()
            .map(|topic| {
                let topic = NewTopic::new(topic.name(), PARTITIONS, TopicReplication::Fixed(1));
                match &share {
                    // Only whole segments go, so they must be small against what is kept.
                    Some(share) => topic.set("retention.bytes", share).set("segment.bytes", "33554432"),
                    None => topic,
                }
            })
            .collect();
        let options = AdminOptions::new()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .operation_timeout(Some(REQUEST_TIMEOUT));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for result in runtime.block_on(admin.create_topics(&topics, &options))? {
            result.map_err(|(topic, code)| anyhow::anyhow!("the topic {topic} was not created: {code}"))?;
        }
        Ok(())
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let _ = Command::new(node_script()).arg("stop").arg(&self.dir).status();
    }
}

/// `./run bench` runs it in the root of the checkout. A path from the time of compiling would be that of another
/// checkout when two of them share their build output.
fn node_script() -> PathBuf {
    PathBuf::from("scripts/kafka/node")
}
