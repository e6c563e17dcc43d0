package shop;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import javax.sql.DataSource;

import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Transactions that end by the request's deadline, and are tried again where that is safe. */
@Component
class Database {
    /** For all steps of a request; callers are promised an answer within 2 s. */
    private static final long DEADLINE = MILLISECONDS.toNanos(1800);

    static class Busy extends RuntimeException {
        Busy() {
            super("too many requests wait for the database");
        }
    }

    /** COMMIT was sent, and its reply never came. */
    static class Undetermined extends RuntimeException {
        Undetermined(Throwable cause) {
            super(cause);
        }
    }

    private final DataSource source;
    private final TransactionTemplate reads;
    private final TransactionTemplate writes;
    private final Semaphore places = new Semaphore(50); // of Tomcat's 200 threads
    private final ScheduledThreadPoolExecutor timer;
    private double saved = 5;

    Database(DataSource source, PlatformTransactionManager transactions) {
        this.source = source;
        reads = new TransactionTemplate(transactions);
        reads.setReadOnly(true);
        writes = new TransactionTemplate(transactions);
        timer = new ScheduledThreadPoolExecutor(1, work -> {
            Thread thread = new Thread(work, "deadlines");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
    }

    <T> T read(Supplier<T> work) {
        return retried(reads, work);
    }

    <T> T write(Supplier<T> work) {
        return retried(writes, work);
    }

    /**
     * A transaction that met another one is tried again, within the deadline and a budget: each
     * request earns a tenth of a retry.
     */
    private <T> T retried(TransactionTemplate transactions, Supplier<T> work) {
        long until = System.nanoTime() + DEADLINE;
        earn();
        for (int attempt = 1; ; attempt++) {
            try {
                return within(until, transactions, work);
            } catch (RuntimeException error) {
                String state = sqlState(error);
                long pause = MILLISECONDS.toNanos(
                        (long) (ThreadLocalRandom.current().nextDouble(10, 20) * (1 << attempt)));
                boolean again = state.equals("40001") || state.equals("40P01");
                if (!again || attempt == 3 || System.nanoTime() + pause > until || !spend()) {
                    throw error;
                }
                sleep(pause);
            }
        }
    }

    private <T> T within(long until, TransactionTemplate transactions, Supplier<T> work) {
        if (!places.tryAcquire()) {
            throw new Busy();
        }
        var lease = new Object() {
            Future<?> cut;
            boolean committing;
        };
        try {
            return transactions.execute(status -> {
                lease.cut = cutAt(until);
                T result = work.get();
                lease.committing = true;
                return result;
            });
        } catch (RuntimeException error) {
            String state = sqlState(error);
            if (lease.committing && transactions == writes
                    && !state.startsWith("23") && !state.startsWith("40")) {
                throw new Undetermined(error);
            }
            throw error;
        } finally {
            if (lease.cut != null) {
                lease.cut.cancel(false);
            }
            places.release();
        }
    }

    /** The driver waits for each answer anew: end the connection when the request's time is up. */
    private Future<?> cutAt(long until) {
        try {
            Connection connection = DataSourceUtils.getConnection(source).unwrap(Connection.class);
            return timer.schedule(() -> {
                connection.abort(Runnable::run);
                return null;
            }, until - System.nanoTime(), NANOSECONDS);
        } catch (SQLException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private synchronized void earn() {
        saved = Math.min(5, saved + 0.1);
    }

    private synchronized boolean spend() {
        if (saved < 1) {
            return false;
        }
        saved--;
        return true;
    }

    private static void sleep(long nanoseconds) {
        try {
            NANOSECONDS.sleep(nanoseconds);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    /** The SQLSTATE of an error of the database, or nothing. */
    static String sqlState(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException refused && refused.getSQLState() != null) {
                return refused.getSQLState();
            }
        }
        return "";
    }
}
