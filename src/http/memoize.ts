/** Memoizes a function of one argument. After `most` results it forgets all of them: invented arguments cannot fill the memory. */
export function memoize<From, Made extends NonNullable<unknown>>(
  make: (from: From) => Made,
  most = 512,
): (from: From) => Made {
  const known = new Map<From, Made>();
  return (from) => {
    let made = known.get(from);
    if (made === undefined) {
      made = make(from);
      if (known.size >= most) known.clear();
      known.set(from, made);
    }
    return made;
  };
}
