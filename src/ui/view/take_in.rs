//! Taking in what is told: each event changes the one part of the view that it is about.

use jiff::Timestamp;

use super::{EndpointView, LogsView, Notice, RunView, Share, StageView, StepView};
use crate::model::event::{Event, Outcome, Record, Stage};
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::plan::StepSummary;

impl RunView {
    /// Takes in one record.
    pub fn apply(&mut self, record: &Record) {
        let time = self.now.map_or(record.time, |now| now.max(record.time));
        self.now = Some(time);
        self.apply_event(&record.event, time);
        // What a host prints comes in by the thousand and moves nothing on.
        if !matches!(record.event, Event::StepOutput { .. }) {
            self.recount();
        }
    }

    fn apply_event(&mut self, event: &Event, time: Timestamp) {
        match event {
            Event::RunStarted { .. } => self.begin(event, time),
            Event::StageStarted { stage } => self.enter(*stage, time),
            Event::PlanReady { steps } => self.plan(steps),
            Event::CheckEnded { check } => self.checks.push(check.clone()),
            Event::ReachKnown { cells } => self.reach.clone_from(cells),
            Event::StillAtIt | Event::Diagnosed { .. } | Event::ArchiveWritten { .. } => {}
            Event::Noticed { host, text } => self.notices.push(Notice {
                host: host.clone(),
                text: text.clone(),
            }),
            Event::EndpointReady { title, url } => self.endpoint(title, url),
            Event::RecordWritten { path } => self.record = Some(path.clone()),
            Event::RunEnded { outcome, .. } => self.end(outcome, time),
            Event::HostConnecting { .. }
            | Event::HostConnected { .. }
            | Event::HostLost { .. }
            | Event::FactsGathered { .. } => self.apply_to_host(event),
            Event::StepStarted { .. }
            | Event::StepProgress { .. }
            | Event::LayerProgressed { .. }
            | Event::StepOutput { .. }
            | Event::StepReopened { .. }
            | Event::StepEnded { .. } => self.apply_to_step(event, time),
            Event::LogsProgressed { .. } | Event::LogsEnded { .. } | Event::LogsWritten { .. } => {
                self.apply_to_logs(event);
            }
            Event::Paused { paused } => self.paused = *paused,
            Event::Held => self.held = true,
            Event::FixStarted { .. } | Event::FixOutput { .. } | Event::FixEnded { .. } => {
                self.apply_to_mending(event);
            }
        }
    }

    fn begin(&mut self, event: &Event, time: Timestamp) {
        let Event::RunStarted {
            deployment,
            title,
            purpose,
            hosts,
            ..
        } = event
        else {
            return;
        };
        self.deployment = deployment.to_string();
        self.title.clone_from(title);
        self.purpose.clone_from(purpose);
        self.began.get_or_insert(time);
        for host in hosts {
            self.host_mut(host);
        }
    }

    fn enter(&mut self, stage: Stage, time: Timestamp) {
        if self.stage() == Some(stage) {
            return;
        }
        self.leave_stage(time);
        self.held = false;
        match stage {
            // Made anew after something was mended, the checks of before say nothing any more.
            Stage::Preflight => self.checks.clear(),
            Stage::Verify => self.checked = Some(self.checks.len()),
            _ => {}
        }
        self.stages.push(StageView {
            stage,
            began: time,
            ended: None,
        });
    }

    fn leave_stage(&mut self, time: Timestamp) {
        if let Some(last) = self.stages.last_mut() {
            last.ended.get_or_insert(time);
        }
    }

    fn plan(&mut self, steps: &[StepSummary]) {
        for summary in steps {
            self.host_mut(&summary.host);
            if let Some(step) = self.step_mut(&summary.id) {
                step.summary = summary.clone();
            } else {
                self.index.insert(summary.id.clone(), self.steps.len());
                let mut step = StepView::new(summary.clone());
                step.expected = self.expected.get(step.kind()).copied();
                self.steps.push(step);
            }
        }
    }

    fn endpoint(&mut self, title: &str, url: &str) {
        let endpoint = EndpointView {
            title: title.to_owned(),
            url: url.to_owned(),
        };
        if !self.endpoints.contains(&endpoint) {
            self.endpoints.push(endpoint);
        }
    }

    fn end(&mut self, outcome: &Outcome, time: Timestamp) {
        self.leave_stage(time);
        self.held = false;
        self.mending = None;
        self.outcome.get_or_insert_with(|| outcome.clone());
    }

    /// Keeps a failure once, however often it is told.
    fn fail(&mut self, failure: Failure) {
        if !self.was_told(&failure) {
            self.failures.push(failure);
        }
    }

    fn apply_to_host(&mut self, event: &Event) {
        match event {
            Event::HostConnecting { host, address } => self.host_mut(host).connecting(address),
            Event::HostConnected { host, took_ms } => self.host_mut(host).connected(*took_ms),
            Event::HostLost { host, failure } => {
                self.host_mut(host).lost();
                let failure = failure.clone().on(host);
                self.fail(failure);
            }
            Event::FactsGathered { facts } => {
                self.host_mut(&facts.host.clone()).facts = Some(facts.clone());
            }
            _ => {}
        }
    }

    fn apply_to_step(&mut self, event: &Event, time: Timestamp) {
        let (Event::StepStarted { step: id }
        | Event::StepProgress { step: id, .. }
        | Event::LayerProgressed { step: id, .. }
        | Event::StepOutput { step: id, .. }
        | Event::StepReopened { step: id }
        | Event::StepEnded { step: id, .. }) = event
        else {
            return;
        };
        let Some(step) = self.step_mut(id) else {
            return;
        };
        let before = step.failure.clone();
        let failed = step.apply(event, time);
        let still = step.failure.is_some();
        let host = step.summary.host.clone();
        if let Some(before) = before.filter(|_| !still) {
            self.forget(&before, &host);
        }
        if matches!(
            event,
            Event::StepStarted { .. } | Event::StepReopened { .. }
        ) {
            self.held = false;
        }
        if let Some(failure) = failed {
            let failure = if failure.host.is_some() {
                failure
            } else {
                failure.on(&host)
            };
            self.fail(failure);
        }
        if let Event::StepOutput { line, .. } = event {
            self.host_mut(&host).say(line);
        }
    }

    fn apply_to_logs(&mut self, event: &Event) {
        match event {
            Event::LogsProgressed {
                source,
                records,
                bytes,
            } => {
                let count = self.logs.entry(source.clone()).or_default();
                (count.records, count.bytes) = (*records, *bytes);
            }
            Event::LogsEnded { count } => {
                let ended = LogsView {
                    records: count.records,
                    bytes: count.bytes,
                    ended: true,
                };
                self.logs.insert(count.source.clone(), ended);
            }
            _ => {}
        }
    }

    fn apply_to_mending(&mut self, event: &Event) {
        match event {
            Event::FixStarted { host, .. } => {
                self.mending = Some(host.clone());
                self.held = false;
            }
            Event::FixOutput { host, line } => self.host_mut(&host.clone()).say(line),
            _ => self.mending = None,
        }
    }

    /// What is tried again, or gone on without, has not failed any more.
    fn forget(&mut self, failure: &Failure, host: &HostName) {
        self.failures
            .retain(|told| told.host.as_ref() != Some(host) || told.message != failure.message);
    }

    /// Raises the shares of hosts and run to what the steps now say; they never sink.
    fn recount(&mut self) {
        for host in &mut self.hosts {
            let own = self
                .steps
                .iter()
                .filter(|step| step.summary.host == host.name);
            host.share = host.share.max(Share::weighted(own));
        }
        self.share = self.share.max(Share::weighted(self.steps.iter()));
        if matches!(self.outcome, Some(Outcome::Done | Outcome::NothingToDo)) {
            self.share = Share::WHOLE;
        }
    }
}
