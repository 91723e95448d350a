-- Who began to call whom this week. Nothing is new where nobody looked before: `days_before` is how long that was.
with edges as (
    select mesh, cluster, source, target, min(day) as first_day, sum(requests) as requests
    from calls
    where requests > 0 and day < :until
    group by mesh, cluster, source, target
),
before as (
    select mesh, cluster, sum(seconds) / 86400 as days_before
    from watched
    where day < :week
    group by mesh, cluster
)
select e.mesh, e.cluster, e.source, e.target, e.first_day, e.requests, b.days_before
from edges e
join before b on b.mesh = e.mesh and b.cluster = e.cluster
where e.first_day >= :week
order by e.mesh, e.cluster, e.source, e.target
