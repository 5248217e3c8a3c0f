//! Echoes: an own send that came back, a person in Meta's inbox, or another app.

use std::collections::{HashMap, HashSet};

use bellhop_domain::event::{ControlEvent as Control, Echo, Event};
use bellhop_domain::evidence::{self, Doubtful};
use bellhop_domain::host_call::Author;
use bellhop_domain::id::{ConversationId, DeliveryId, MessageId, WorkspaceId};
use bellhop_domain::kind::EventKind;

use super::read::Change;
use crate::conversation::{Body, Contact, NewMessage};
use crate::dispatch::{Dispatch, DispatchError};
use crate::inbox::{self, ControlEvent, SliceContent};
use crate::outbox::{self, DoubtfulDelivery, Evidence, Shown};
use crate::vault::IndexKey;

/// Meta's own inboxes: who writes there is a person (Meta: Conversation Routing; Page inbox and Instagram inbox).
const INBOX_APPS: [&str; 2] = ["263902037430900", "1217981644879628"];

/// What is known of deliveries that echoes may show without naming them.
pub(super) struct Deliveries {
    by_mid: HashMap<(WorkspaceId, [u8; 32]), DeliveryId>,
    doubtful: HashMap<ConversationId, Vec<DoubtfulDelivery>>,
}

impl Deliveries {
    /// Reads them where there is such an echo at all; our own ones on Messenger name their delivery.
    pub(super) async fn read(
        dispatch: &Dispatch,
        opened: &[(&ControlEvent, Option<SliceContent>)],
    ) -> Result<Self, DispatchError> {
        let (mut mids, mut conversations) = (Vec::new(), HashSet::new());
        for (event, content) in opened.iter().filter(|(event, _)| event.kind == EventKind::Echo) {
            let (Some(content), Some(conversation)) = (content, &event.conversation) else { continue };
            let Event::Control(Control::Echo(echo)) = content.event(event.kind) else { continue };
            let our_app = meta_app_id(dispatch, event);
            if named(&echo, our_app.as_deref()).is_some() || !may_be_ours(&echo, our_app.as_deref()) {
                continue;
            }
            if let Some(mid) = &echo.mid {
                let index = dispatch.vault.index(&event.workspace).await?;
                mids.push((event.workspace.clone(), inbox::mid_key(&index, mid)));
            }
            conversations.insert((event.workspace.clone(), conversation.clone()));
        }
        let conversations: Vec<_> = conversations.into_iter().collect();
        let by_mid = outbox::deliveries_by_mid(&dispatch.db, &mids).await?;
        let doubtful = outbox::deliveries_doubtful(&dispatch.db, &dispatch.vault, &conversations).await?;
        Ok(Self { by_mid, doubtful })
    }

    /// The delivery that an unmarked echo shows. What it shows is no longer in doubt for the next echo.
    fn shown_by(
        &mut self,
        echo: &Echo,
        place: (&WorkspaceId, &ConversationId),
        mid: Option<[u8; 32]>,
    ) -> Option<Proof> {
        if let Some(id) = mid.and_then(|mid| self.by_mid.get(&(place.0.clone(), mid))) {
            return Some(Proof { delivery: id.clone(), is_likeness: false });
        }
        let waiting = self.doubtful.get_mut(place.1)?;
        let alike: Vec<Doubtful<'_>> =
            waiting.iter().map(|delivery| Doubtful { kind: delivery.kind, text: &delivery.text }).collect();
        let nth = evidence::shown_by(echo, &alike)?;
        Some(Proof { delivery: waiting.remove(nth).id, is_likeness: true })
    }
}

/// Which delivery it is, and how that is known.
struct Proof {
    delivery: DeliveryId,
    is_likeness: bool,
}

/// Reads an echo.
pub(super) async fn read(
    dispatch: &Dispatch,
    (change, deliveries): (&mut Change, &mut Deliveries),
    (event, conversation): (&ControlEvent, &ConversationId),
    echo: &Echo,
    contact: Option<&Contact>,
) -> Result<(), DispatchError> {
    let index = dispatch.vault.index(&event.workspace).await?;
    let our_app = meta_app_id(dispatch, event);
    let our_app = our_app.as_deref();
    let mid = mid_of(echo, &index);
    let proof = match named(echo, our_app) {
        Some(delivery) => Some(Proof { delivery, is_likeness: false }),
        None if may_be_ours(echo, our_app) => deliveries.shown_by(echo, (&event.workspace, conversation), mid),
        None => None,
    };
    if let Some(Proof { delivery, is_likeness }) = proof {
        let (workspace, conversation) = (event.workspace.clone(), conversation.clone());
        let shown = Shown { workspace, conversation, delivery, mid, at: event.at, is_likeness };
        change.evidence.push(Evidence::Shown(shown));
        return Ok(());
    }
    if echo.app_id.is_some() && echo.app_id.as_deref() == our_app {
        return Ok(());
    }
    change.becomes_human = echo.app_id.as_deref().is_none_or(|app| INBOX_APPS.contains(&app));
    change.messages.extend(contact.map(|contact| said_by_others((event, conversation), echo, mid, contact)));
    Ok(())
}

fn said_by_others(
    (event, conversation): (&ControlEvent, &ConversationId),
    echo: &Echo,
    mid: Option<[u8; 32]>,
    contact: &Contact,
) -> NewMessage {
    NewMessage {
        workspace: event.workspace.clone(),
        id: MessageId::new(),
        conversation: conversation.clone(),
        at: event.at,
        author: Author::Agent,
        author_ref: None,
        mid,
        body: Body { text: echo.text.clone().unwrap_or_default(), ..Body::default() },
        key: contact.key.clone(),
    }
}

/// The delivery that our own app names.
fn named(echo: &Echo, our_app: Option<&str>) -> Option<DeliveryId> {
    let word = echo.metadata.as_deref().filter(|_| echo.app_id.as_deref() == our_app)?;
    DeliveryId::parse(word).ok()
}

/// Instagram names no app.
fn may_be_ours(echo: &Echo, our_app: Option<&str>) -> bool {
    echo.app_id.is_none() || echo.app_id.as_deref() == our_app
}

fn mid_of(echo: &Echo, index: &IndexKey) -> Option<[u8; 32]> {
    echo.mid.as_deref().map(|mid| inbox::mid_key(index, mid))
}

/// Meta's id of the app that the channel's webhooks come through.
fn meta_app_id(dispatch: &Dispatch, event: &ControlEvent) -> Option<String> {
    let snapshot = dispatch.directory.snapshot();
    let channel = snapshot.channel(&event.workspace, &event.channel)?;
    Some(snapshot.app(&channel.app)?.meta_app_id.clone())
}
