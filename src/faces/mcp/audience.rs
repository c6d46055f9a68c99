//! Those who listen by one request, or the one session: what they are told of, and the loop that tells them. Whoever is slow is told of the
//! latest once, and of nothing in between.

use super::{
    follow::{Follower, News, Topic},
    handler::Face,
    pace::Pace,
    target::{Haste, What},
    tasks, tools, views, wire,
};
use crate::domain::fault::{ErrorKind, Fault};
use rmcp::{
    RoleServer,
    model::{CustomNotification, ResourceUpdatedNotificationParam, ServerNotification},
    service::{Peer, ServiceError},
};
use serde_json::{Value, json};
use std::{collections::HashMap, future::Future};
use tokio::{sync::mpsc, time::Instant};

/// Things that one audience is told of: more than a client that means it asks for.
const MOST: usize = 128;
/// News that wait to be looked at.
const UNHEARD: usize = 64;

/// How those who listen are spoken to.
#[derive(Clone, Debug)]
pub(super) enum Ear {
    /// By the open request with this number of ours.
    Request(Peer<RoleServer>, i64),
    /// Unasked, as in a session that shook hands.
    Session(Peer<RoleServer>),
}

#[derive(Debug)]
struct Target {
    what: What,
    pace: Pace,
    /// What it was when it was last told, or first seen.
    told: Option<Value>,
}

/// What somebody who listens wants changed.
#[derive(Debug)]
pub(super) enum Wish {
    Tell(What, tokio::sync::oneshot::Sender<Result<(), Fault>>),
    /// No longer of the resource with this URI.
    Leave(String, tokio::sync::oneshot::Sender<()>),
}

enum Happened {
    News(News),
    Wish(Option<Wish>),
    Due,
}

/// An audience, and what it is told of.
#[derive(Debug)]
pub(super) struct Audience {
    face: Face,
    ear: Ear,
    /// Whether the client can put the requests of a task to a person.
    asks: bool,
    targets: Vec<Target>,
    followers: HashMap<Topic, Follower>,
    news: mpsc::Receiver<News>,
    to: mpsc::Sender<News>,
}

impl Audience {
    pub(super) fn new(face: Face, ear: Ear, asks: bool) -> Self {
        let (to, news) = mpsc::channel(UNHEARD);
        Self {
            face,
            ear,
            asks,
            targets: Vec::new(),
            followers: HashMap::new(),
            news,
            to,
        }
    }

    pub(super) fn ear(&self) -> &Ear {
        &self.ear
    }

    /// From now on it is told of this too.
    ///
    /// # Errors
    /// `not_found` for a run that is not there, `too_large` where it is told of enough; those of the hub.
    pub(super) async fn add(&mut self, what: What) -> Result<(), Fault> {
        if self.targets.iter().any(|one| one.what == what) {
            return Ok(());
        }
        if self.targets.len() >= MOST {
            let detail = format!("{MOST} subscriptions are open, at most so many are kept");
            return Err(Fault::new(ErrorKind::TooLarge, detail)
                .hint("end some that are not needed any more"));
        }
        let target = self.begin(what).await;
        if let Ok(target) = target {
            self.targets.push(target);
            return Ok(());
        }
        self.let_go();
        target.map(|_| ())
    }

    /// Follows before it looks, so that no change is missed between the two.
    async fn begin(&mut self, what: What) -> Result<Target, Fault> {
        self.follow(Topic::Hub).await?;
        let mut target = Target {
            pace: Pace::default(),
            told: None,
            what,
        };
        if let Some(run) = target.what.run() {
            self.follow(Topic::Run(run)).await?;
            let known = tools::known(&self.face, run).await?;
            if matches!(target.what, What::Task(_)) {
                // It may have ended before anybody listened.
                target.pace.urge(Instant::now());
            } else {
                target.told = Some(views::plain(known));
            }
        }
        Ok(target)
    }

    async fn follow(&mut self, topic: Topic) -> Result<(), Fault> {
        if !self.followers.contains_key(&topic) {
            let follower = Follower::begin(&self.face, topic, self.to.clone()).await?;
            self.followers.insert(topic, follower);
        }
        Ok(())
    }

    fn leave(&mut self, gone: &str) {
        let is = |what: &What| matches!(what, What::Resource { uri, .. } if uri == gone);
        self.targets.retain(|one| !is(&one.what));
        self.let_go();
    }

    /// Follows no longer what nobody is told of.
    fn let_go(&mut self) {
        let targets = &self.targets;
        self.followers.retain(|topic, _| match topic {
            Topic::Hub => !targets.is_empty(),
            Topic::Run(run) => targets.iter().any(|one| one.what.run() == Some(*run)),
        });
    }

    /// Tells until `over`; whoever reads slowly holds up itself alone.
    pub(super) async fn attend(
        mut self,
        mut wishes: Option<mpsc::Receiver<Wish>>,
        over: impl Future<Output = ()>,
    ) {
        let told = async {
            loop {
                match self.next(wishes.as_mut()).await {
                    Happened::News(news) => self.hear(news),
                    Happened::Wish(None) => return,
                    Happened::Wish(Some(wish)) => self.grant(wish).await,
                    Happened::Due => {
                        if let Err(error) = self.tell().await {
                            tracing::debug!(%error, "nobody listens any more");
                            return;
                        }
                    }
                }
            }
        };
        tokio::select! {
            () = told => {}
            () = over => {}
        }
    }

    async fn next(&mut self, wishes: Option<&mut mpsc::Receiver<Wish>>) -> Happened {
        let due = self.targets.iter().filter_map(|one| one.pace.due()).min();
        let due = async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let wish = async {
            match wishes {
                Some(wishes) => wishes.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // There is always a sender: this audience has one.
            Some(news) = self.news.recv() => Happened::News(news),
            wish = wish => Happened::Wish(wish),
            () = due => Happened::Due,
        }
    }

    fn hear(&mut self, news: News) {
        let now = Instant::now();
        for one in &mut self.targets {
            match one.what.hears(news) {
                Some(Haste::Now) => one.pace.urge(now),
                Some(Haste::Soon) => one.pace.nudge(now),
                None => {}
            }
        }
    }

    async fn grant(&mut self, wish: Wish) {
        // Who asked may be gone: then nobody hears that it is done.
        match wish {
            Wish::Tell(what, heard) => {
                heard.send(self.add(what).await).ok();
            }
            Wish::Leave(uri, heard) => {
                self.leave(&uri);
                heard.send(()).ok();
            }
        }
    }

    /// Tells of all that is due.
    async fn tell(&mut self) -> Result<(), ServiceError> {
        let now = Instant::now();
        let mut at = 0;
        while at < self.targets.len() {
            if self.targets[at].pace.due().is_none_or(|due| due > now) {
                at += 1;
                continue;
            }
            self.targets[at].pace.told(Instant::now());
            if self.tell_one(at).await? {
                at += 1;
            } else {
                self.targets.remove(at);
            }
        }
        self.let_go();
        Ok(())
    }

    /// Tells of one, if it is not what was told; `false` when there is no more to tell of it.
    async fn tell_one(&mut self, at: usize) -> Result<bool, ServiceError> {
        let target = &mut self.targets[at];
        let news = match look(&self.face, &target.what, self.asks).await {
            Ok(told) => told,
            Err(fault) if fault.kind == ErrorKind::NotFound => return Ok(false),
            Err(fault) => {
                tracing::debug!(%fault, "what changed is out of reach");
                target.pace.nudge(Instant::now());
                return Ok(true);
            }
        };
        let (value, last) = match &news {
            Told::List | Told::Updated(_, None) => (None, false),
            Told::Updated(_, Some(value)) => (Some(value), false),
            Told::Task(value, last) => (Some(value), *last),
        };
        if value.is_some() && target.told.as_ref() == value {
            return Ok(!last);
        }
        target.told = value.cloned();
        self.ear.tell(news).await?;
        Ok(!last)
    }
}

/// What is told.
#[derive(Debug)]
enum Told {
    List,
    /// A resource, and what it shows, where that can be compared.
    Updated(String, Option<Value>),
    /// A task, and whether it is final.
    Task(Value, bool),
}

async fn look(face: &Face, what: &What, asks: bool) -> Result<Told, Fault> {
    use super::target::Part;
    match what {
        What::List => Ok(Told::List),
        What::Resource {
            uri,
            run,
            part: Part::Whole,
        } => {
            let run = tools::known(face, *run).await?;
            Ok(Told::Updated(uri.clone(), Some(views::plain(run))))
        }
        What::Resource { uri, .. } => Ok(Told::Updated(uri.clone(), None)),
        What::Task(run) => {
            let run = tools::known(face, *run).await?;
            let last = run.state.is_terminal();
            let task = tasks::seen(face, run, asks).await;
            Ok(Told::Task(views::plain(task), last))
        }
    }
}

impl Ear {
    /// Which of what was asked for it is told of.
    pub(super) async fn acknowledge(&self, honoured: Value) -> Result<(), ServiceError> {
        let params = json!({"notifications": honoured});
        self.say("notifications/subscriptions/acknowledged", params)
            .await
    }

    async fn tell(&self, told: Told) -> Result<(), ServiceError> {
        match (told, self) {
            (Told::List, Self::Session(peer)) => peer.notify_resource_list_changed().await,
            (Told::Updated(uri, _), Self::Session(peer)) => {
                let update = ResourceUpdatedNotificationParam::new(uri);
                peer.notify_resource_updated(update).await
            }
            (Told::List, Self::Request(..)) => {
                let method = "notifications/resources/list_changed";
                self.say(method, json!({})).await
            }
            (Told::Updated(uri, _), Self::Request(..)) => {
                let method = "notifications/resources/updated";
                self.say(method, json!({"uri": uri})).await
            }
            (Told::Task(task, _), _) => self.say("notifications/tasks", task).await,
        }
    }

    /// Our number of the request goes along, and is the client's when it leaves.
    async fn say(&self, method: &str, mut params: Value) -> Result<(), ServiceError> {
        let Self::Request(peer, number) = self else {
            return Ok(());
        };
        params["_meta"][wire::SUBSCRIPTION] = json!(number);
        let note = CustomNotification::new(method, Some(params));
        peer.send_notification(ServerNotification::CustomNotification(note))
            .await
    }
}
