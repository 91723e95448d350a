-- The two tables that the questions are asked of, made of `events`: the rows of all logs, with the recording (`mesh`), the
-- recorder (`writer`) and the partition (`date`, `hour`) of each. A rate holds for the interval of its rule's outcome.
create or replace temporary view answered as
select mesh, writer, date, hour, instant, cluster, rule, interval_ms / 1000 as seconds
from events
where kind = 'outcome' and outcome = 'ok' and rule rlike '{rules}';

create or replace temporary view calls as
select e.mesh, cast(e.date as date) as day, e.cluster, e.source, e.target,
       sum(e.rate * a.seconds) as requests,
       sum(case when e.status rlike '{failed}' then e.rate * a.seconds else 0 end) as failed
from events e
join answered a on a.mesh = e.mesh and a.writer = e.writer and a.date = e.date and a.hour = e.hour
               and a.instant = e.instant and a.cluster = e.cluster and a.rule = e.rule
where e.kind = 'sample'
group by e.mesh, cast(e.date as date), e.cluster, e.source, e.target;

create or replace temporary view watched as
select mesh, cast(date as date) as day, cluster, sum(seconds) as seconds
from (
    select mesh, date, instant, cluster, max(seconds) as seconds
    from answered
    group by mesh, date, instant, cluster
)
group by mesh, cast(date as date), cluster
