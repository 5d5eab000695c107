import { openVerbs } from 'openverbs';

using verbs = openVerbs();
using context = verbs.device().open();
if (context.device.supports('hwCounters')) {
  const { retry_exceeded_err, rcvd_rnr_err } = context.queryHwCounters(1);
  console.log({ retry_exceeded_err, rcvd_rnr_err });
}
