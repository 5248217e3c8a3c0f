//! Group commit: jobs that wait at the same time share one transaction, and so one fsync.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::DbError;

/// How often a job that stood in another transaction's way is written again: the other one is usually through by then.
const MAX_CONFLICTS: u32 = 3;

/// Where the last group had company, the next one waits this long for more: a transaction costs about the same for one job as
/// for twenty. Whoever comes alone waits for nobody.
const GATHER: Duration = Duration::from_millis(2);

/// A queue of jobs that are applied together. Clones feed the same queue.
#[derive(Debug)]
pub struct Group<J, A> {
    sender: mpsc::Sender<Waiting<J, A>>,
}

impl<J, A> Clone for Group<J, A> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone() }
    }
}

#[derive(Debug)]
struct Waiting<J, A> {
    job: J,
    answer: oneshot::Sender<Result<A, GroupError>>,
}

/// Why a job was not applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GroupError {
    /// The database refused it; nothing of the job was written.
    #[error("could not write the group")]
    Failed(#[source] Arc<DbError>),
    /// The host is shutting down; nothing of the job was written.
    #[error("the writer has stopped")]
    Stopped,
}

impl<J: Send + 'static, A: Send + 'static> Group<J, A> {
    /// Starts the writer: `apply` writes all jobs in one transaction and answers each, in order. A group that fails is
    /// tried again in halves, so that one bad job fails alone, and alone a few times where it only stood in another's way. The writer ends when all handles are gone.
    pub fn start<F, Fut>(tracker: &TaskTracker, max_jobs: usize, apply: F) -> Self
    where
        F: Fn(Arc<Vec<J>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<A>, DbError>> + Send,
        J: Sync,
    {
        let (sender, mut receiver) = mpsc::channel::<Waiting<J, A>>(max_jobs * 4);
        tracker.spawn(async move {
            let mut batch = Vec::with_capacity(max_jobs);
            let mut is_busy = false;
            while receiver.recv_many(&mut batch, max_jobs).await > 0 {
                if is_busy && batch.len() < max_jobs {
                    tokio::time::sleep(GATHER).await;
                    while batch.len() < max_jobs
                        && let Ok(waiting) = receiver.try_recv()
                    {
                        batch.push(waiting);
                    }
                }
                is_busy = batch.len() > 1;
                let (jobs, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|w| (w.job, w.answer)).unzip();
                write(jobs, answers, &apply).await;
            }
        });
        Self { sender }
    }

    /// Hands in a job and waits until it is on disk.
    ///
    /// # Errors
    /// [`GroupError::Failed`] or [`GroupError::Stopped`]; nothing of the job was written.
    ///
    /// # Cancel safety
    /// Once handed in, the job is applied whether or not anybody still waits.
    pub async fn submit(&self, job: J) -> Result<A, GroupError> {
        let (answer, receiver) = oneshot::channel();
        self.sender.send(Waiting { job, answer }).await.map_err(|_| GroupError::Stopped)?;
        receiver.await.unwrap_or(Err(GroupError::Stopped))
    }
}

type Answers<A> = Vec<oneshot::Sender<Result<A, GroupError>>>;

/// Jobs that go into one transaction, and how often they already stood in another's way.
struct Batch<J, A> {
    jobs: Vec<J>,
    answers: Answers<A>,
    conflicts: u32,
}

async fn write<J, A, F, Fut>(jobs: Vec<J>, answers: Answers<A>, apply: &F)
where
    F: Fn(Arc<Vec<J>>) -> Fut,
    Fut: Future<Output = Result<Vec<A>, DbError>>,
{
    let mut open = vec![Batch { jobs, answers, conflicts: 0 }];
    while let Some(Batch { jobs, mut answers, conflicts }) = open.pop() {
        let jobs = Arc::new(jobs);
        // A panic must not end the writer: nothing could be stored until the next start.
        let applied = AssertUnwindSafe(apply(Arc::clone(&jobs))).catch_unwind().await;
        match applied.unwrap_or(Err(DbError::Panicked)) {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    // Nobody waits any more: the client has gone, the work is done all the same.
                    drop(answer.send(Ok(result)));
                }
            }
            Err(error) => match Arc::try_unwrap(jobs) {
                Ok(mut jobs) if jobs.len() > 1 => {
                    let middle = jobs.len() / 2;
                    let (later, late) = (jobs.split_off(middle), answers.split_off(middle));
                    open.push(Batch { jobs: later, answers: late, conflicts: 0 });
                    open.push(Batch { jobs, answers, conflicts: 0 });
                }
                Ok(jobs) if matches!(error, DbError::Conflict) && conflicts < MAX_CONFLICTS => {
                    open.push(Batch { jobs, answers, conflicts: conflicts + 1 });
                }
                _ => fail(answers, error),
            },
        }
    }
}

fn fail<A>(answers: Answers<A>, error: DbError) {
    let error = GroupError::Failed(Arc::new(error));
    for answer in answers {
        drop(answer.send(Err(error.clone())));
    }
}
