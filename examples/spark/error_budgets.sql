-- What is left of each service's error budget: 1 is all of it, 0 none, below 0 it is overspent.
select mesh, cluster, target as service, sum(requests) as requests, sum(failed) as failed,
       1 - sum(failed) / (sum(requests) * (1 - :objective)) as budget_left
from calls
where day >= :since and day < :until
group by mesh, cluster, target
having sum(requests) > 0
order by budget_left, mesh, cluster, target
