import { expect } from 'chai';
import { QueueMemory } from '../src/driver/index.ts';

/** Memory that is counted. */
class Source {
  readonly taken = new Set<{ readonly key: number; readonly bytes: number }>();
  #lastKey = 0;

  alloc(bytes: number): { readonly key: number; readonly bytes: number } {
    const memory = { key: ++this.#lastKey, bytes };
    this.taken.add(memory);
    return memory;
  }

  free(memory: { readonly key: number; readonly bytes: number }): void {
    expect(this.taken.delete(memory), 'freed once').to.equal(true);
  }
}

const refuse = (): never => {
  throw new RangeError('refused');
};

describe('memory of queues', () => {
  it('is a queue’s until it has ended', () => {
    const source = new Source();
    const memory = new QueueMemory(source);
    const made = memory.create(100, ({ key }) => ({ handle: 7, key }));
    expect(made).to.deep.equal({ handle: 7, key: 1 });
    expect(memory.of(7)).to.deep.equal({ key: 1, bytes: 100 });
    memory.release(7);
    expect(memory.of(7)).to.equal(undefined);
    expect(source.taken.size).to.equal(0);
  });

  it('is freed when the queue can not be made', () => {
    const source = new Source();
    const memory = new QueueMemory(source);
    expect(() => memory.create(100, refuse)).to.throw(RangeError, 'refused');
    expect(source.taken.size).to.equal(0);
  });

  it('is another after a move, and the former one is freed', () => {
    const source = new Source();
    const memory = new QueueMemory(source);
    memory.create(100, () => ({ handle: 7 }));
    expect(memory.move(7, 200, ({ key }) => key)).to.equal(2);
    expect(memory.of(7)).to.deep.equal({ key: 2, bytes: 200 });
    expect([...source.taken]).to.deep.equal([{ key: 2, bytes: 200 }]);
  });

  it('stays where it was when a move is refused', () => {
    const source = new Source();
    const memory = new QueueMemory(source);
    memory.create(100, () => ({ handle: 7 }));
    expect(() => memory.move(7, 200, refuse)).to.throw(RangeError, 'refused');
    expect(memory.of(7)).to.deep.equal({ key: 1, bytes: 100 });
    expect([...source.taken]).to.deep.equal([{ key: 1, bytes: 100 }]);
  });

  it('is none for a queue in memory of another', () => {
    const memory = new QueueMemory(new Source());
    memory.release(9);
    expect(memory.of(9)).to.equal(undefined);
  });
});
