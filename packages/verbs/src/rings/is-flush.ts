/** Which flushes there are. Here, because the rings may know numbers only. */
import { PlacementType, SelectivityLevel } from '../enums/wr.ts';

const { GLOBAL, PERSISTENT } = PlacementType;
const { RANGE, MR } = SelectivityLevel;

/** Whether there is a flush of these `PlacementType` bits and this `SelectivityLevel`. */
export function isFlush(type: number, level: number): boolean {
  return (
    (type === GLOBAL || type === PERSISTENT || type === (GLOBAL | PERSISTENT)) && (level === RANGE || level === MR)
  );
}
