-- What each service was sent, by day; `seen` is the part of the day that the recording saw.
select c.mesh, c.day, c.cluster, c.target as service,
       sum(c.requests) as requests, sum(c.failed) as failed, w.seconds / 86400 as seen
from calls c
join watched w on w.mesh = c.mesh and w.day = c.day and w.cluster = c.cluster
where c.day >= :since and c.day < :until
group by c.mesh, c.day, c.cluster, c.target, w.seconds
order by c.mesh, c.day, c.cluster, c.target
