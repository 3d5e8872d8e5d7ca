"""Kernels of random numbers: NumPy's streams, bit for bit, in compiled code.

    state = states.state_of(rng)              np.random.Generator -> uint64[:]

    rng = uniform.pcg64(state)                in a compiled function: a stream, whose type is its kind
    for i in range(n):
        out[i] = gamma.gamma(rng, shape, scale)

    states.restore(rng, state)                the generator goes on where the function stopped

A kernel draws one number (or one vector, into its last argument) and moves the state; what NumPy draws for arrays of
parameters, or of a size, is a loop over the elements in C order. No kernel checks its parameters: see `domains`.

| module | what |
|---|---|
| `states` | the state of a NumPy generator as an array, and back; no Numba |
| `stream`, `bits`, `uniform` | streams of PCG64, PCG64DXSM, SFC64, Philox and MT19937; bits and uniform numbers |
| `ziggurat` | standard normal and exponential |
| `continuous`, `circular`, `gamma` | functions of these; von Mises and Wald; gamma, beta, t, F, chi-square |
| `poisson`, `binomial`, `counts`, `hypergeometric` | whole numbers |
| `bounded`, `ranges`, `permute` | integers of a range, bytes; shuffles and choices |
| `vectors`, `covariance` | multinomial, Dirichlet, multivariate normal |
| `derived` | distributions that NumPy does not have |
| `rows` | vectors for each row of an array |
| `domains` | which parameters are allowed |
| `distributions`, `whole` | which kernel draws which random variable; those that are made of draws of others |
| `mrg` | MRG31k3p, with its rule |
| `libm` | the C library's functions, which these streams depend on |
| `derive`, `tables64`, `tables32` | where tables come from |

The streams are those of NumPy 2.4. NumPy may change how a distribution is drawn from one version to the next (NEP 19),
as it has with `wald`; the tests compare with the version that is installed.

NumPy's wheels are built without fused multiplication and addition for x86-64; where NumPy itself is built with it, its
last bits differ from its own wheels', and from ours.
"""
