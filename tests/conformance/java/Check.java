// What all checks share: a condition that must hold, and one that must come to hold.
import java.time.Duration;
import java.util.*;
import java.util.function.*;

final class Check {
    static void that(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static void equal(Object got, Object wanted, String what) {
        that(Objects.equals(got, wanted), what + ": " + got + " instead of " + wanted);
    }

    /** Waits until it holds; `state` says how things are if it never does. */
    static void comes(String what, Duration within, BooleanSupplier holds, Supplier<Object> state) throws Exception {
        long until = System.nanoTime() + within.toNanos();
        while (!holds.getAsBoolean()) {
            that(System.nanoTime() < until, what + " did not come: " + state.get());
            Thread.sleep(20);
        }
    }

    static <E extends Throwable> E fails(Class<E> with, ThrowingRunnable run, String what) {
        try {
            run.run();
        } catch (Throwable error) {
            Throwable cause = error;
            while (cause != null && !with.isInstance(cause)) cause = cause.getCause();
            that(cause != null, what + " failed otherwise: " + error);
            return with.cast(cause);
        }
        throw new AssertionError(what + " did not fail");
    }

    interface ThrowingRunnable {
        void run() throws Throwable;
    }
}
