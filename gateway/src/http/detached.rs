//! Work that is done to its end, whether or not somebody waits for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Work that goes on in a task of its own when this is dropped: hyper drops what answers a buyer who hangs up, and a
/// reservation is not left half made. As long as somebody waits, it needs no task, which would cost more than many an
/// answer does. A panic is a result, as a task's is.
pub(super) struct Detached<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send> Detached<T> {
    pub(super) fn new(work: BoxFuture<'static, T>) -> Self {
        Self(Some(work))
    }
}

impl<T: Send> Future for Detached<T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        // What has panicked is not polled again.
        let done = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(done)) => Ok(done),
            Err(panic) => Err(panic),
        };
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<T: Send> Drop for Detached<T> {
    fn drop(&mut self) {
        // Without a runtime the gateway has ended.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_without_a_waiting_caller_is_completed() {
        for is_begun in [false, true] {
            let ((go, gone), (done, was_done)) = (oneshot::channel::<()>(), oneshot::channel());
            let mut work = Detached::new(Box::pin(async {
                let _ = gone.await;
                let _ = done.send(());
            }));
            if is_begun {
                assert!(futures_util::poll!(&mut work).is_pending());
            }
            drop(work);
            go.send(()).expect("it still waits");
            was_done.await.expect("it went on");
        }
    }

    #[tokio::test]
    async fn what_is_done_is_done_once_and_a_panic_is_a_result() {
        assert!(Detached::new(Box::pin(async { 7 })).await.is_ok_and(|done| done == 7));
        assert!(Detached::<()>::new(Box::pin(async { panic!("a bug") })).await.is_err());
    }
}
