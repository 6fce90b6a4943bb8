//! Processes that are stopped when they are dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use tempfile::TempDir;

use crate::{Dataverse, Finops, dwmap};

/// A running process of ours: killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts `dwmap` with these arguments in `folder`.
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        Self::of(Command::new(dwmap()).args(args).current_dir(folder))
    }

    /// Starts a command of `dwmap`.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("dwmap starts");
        let stdout = child.stdout.take().expect("its output is piped");
        // Read all the time: a process whose pipe is full would wait for ever.
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Where nobody listens any more, the rest is still read.
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// The next line that it prints; none at its end.
    pub fn line(&mut self) -> Option<String> {
        self.lines.recv().ok()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state is known").is_none()
    }

    /// Its exit code, once it has ended by itself.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        self.child.wait().expect("it ends");
    }

    /// Sends it a signal, by its name.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Asks it to end, as `kill` does, and waits; gives its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("it ends").code()
    }

    /// The most memory that it has held so far, in bytes; none once it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = peak.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Both sandbox servers, in a process of their own.
#[derive(Debug)]
pub struct Sandbox {
    process: Running,
    data: TempDir,
    args: Vec<String>,
    ready: String,
    addresses: [String; 2],
}

impl Sandbox {
    /// Starts both servers with this many customers, wanting no token.
    pub fn start(customers: usize) -> Self {
        Self::with(customers, &["--open"])
    }

    /// Starts both servers with this many customers, as more arguments say.
    pub fn with(customers: usize, more: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a folder can be made");
        let mut args = vec!["--customers".to_owned(), customers.to_string()];
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        let (process, ready) = launch(data.path(), &args);
        let addresses = addresses(&ready);
        Self {
            process,
            data,
            args,
            ready,
            addresses,
        }
    }

    /// Ends the servers at once, as `kill -9` does, if they still run, and starts them again with the same ports and data.
    pub fn restart(&mut self) {
        self.process.kill();
        let ports = self.addresses.each_ref().map(|address| {
            let port = address.rsplit(':').next();
            port.expect("an address has a port").to_owned()
        });
        let [dataverse, finops] = ports;
        let mut args = self.args.clone();
        args.extend(["--dataverse-port".to_owned(), dataverse]);
        args.extend(["--finops-port".to_owned(), finops]);
        let (process, ready) = launch(self.data.path(), &args);
        assert_eq!(
            ready, self.ready,
            "it serves at other addresses than before"
        );
        self.process = process;
    }

    /// The CRM's address, without a path.
    pub fn dataverse_url(&self) -> &str {
        &self.addresses[0]
    }

    /// The ERP's address, without a path.
    pub fn finops_url(&self) -> &str {
        &self.addresses[1]
    }

    /// The CRM, by plain HTTP.
    pub fn dataverse(&self) -> Dataverse {
        Dataverse::new(self.dataverse_url())
    }

    /// The ERP, by plain HTTP.
    pub fn finops(&self) -> Finops {
        Finops::new(self.finops_url())
    }

    /// The servers' process.
    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }

    /// The line by which it said that it is ready.
    pub fn ready(&self) -> &str {
        &self.ready
    }

    /// The folder of the servers' data.
    pub fn data(&self) -> &Path {
        self.data.path()
    }
}

/// Starts the servers, and waits until they say that they are ready.
fn launch(data: &Path, more: &[String]) -> (Running, String) {
    let folder = data.to_str().expect("a path in UTF-8");
    let mut args = vec!["sandbox", "--data", folder];
    args.extend(more.iter().map(String::as_str));
    let mut process = Running::start(data, &args);
    let ready = process.line().expect("the sandbox says that it is ready");
    (process, ready)
}

/// Both addresses of the ready line, without their paths.
fn addresses(ready: &str) -> [String; 2] {
    [("dataverse=", "/api/data/v9.2/"), ("finops=", "/data/")].map(|(name, path)| {
        let mut words = ready.split_whitespace();
        let address = words.find_map(|word| word.strip_prefix(name)?.strip_suffix(path));
        let address = address.unwrap_or_else(|| panic!("no {name}…{path} in `{ready}`"));
        address.to_owned()
    })
}
