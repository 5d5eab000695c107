import { subscribe } from 'node:diagnostics_channel';
import { openVerbs, TraceChannel, VerbsError, type VerbMessage } from 'openverbs';

subscribe(TraceChannel.VERB, (message) => {
  const { verb, object, error, durationNs } = message as VerbMessage;
  const outcome = VerbsError.is(error) ? error.code : 'done';
  console.log(`${verb} on ${object}: ${outcome}`, durationNs < 1e9 ? '' : '(slow!)');
});

using verbs = openVerbs();
using context = verbs.device().open();
using pd = context.allocPd();
pd.regMr(context.allocBuf(4096), 0);
