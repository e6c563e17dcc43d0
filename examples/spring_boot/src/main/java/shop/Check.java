package shop;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.stereotype.Component;

/** Asks the database again and again, on a connection of its own: a probe need not wait. */
@Component("databaseHealthIndicator")
class Check extends Thread implements HealthIndicator {
    private static final Logger log = LoggerFactory.getLogger(Check.class);
    private static final long FRESH = TimeUnit.SECONDS.toNanos(1);

    private final String url;
    private final Properties settings = new Properties();
    private volatile long seen = System.nanoTime() - FRESH;

    Check(@Value("${spring.datasource.url}") String url) {
        super("check");
        this.url = url;
        settings.put("connectTimeout", "1");
        settings.put("loginTimeout", "1");
        settings.put("socketTimeout", "1");
        setDaemon(true);
        start();
    }

    @Override
    public Health health() {
        boolean fresh = System.nanoTime() - seen < FRESH;
        return (fresh ? Health.up() : Health.down()).build();
    }

    @Override
    public void run() {
        try {
            while (true) {
                try (Connection connection = DriverManager.getConnection(url, settings)) {
                    ask(connection);
                } catch (SQLException error) {
                    log.warn("not ready: {} {}", error.getSQLState(), error.getMessage());
                }
                Thread.sleep(200);
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    private void ask(Connection connection) throws SQLException, InterruptedException {
        connection.setNetworkTimeout(Runnable::run, 500);
        try (var statement = connection.createStatement()) {
            while (true) {
                statement.execute("select 1");
                seen = System.nanoTime();
                Thread.sleep(200);
            }
        }
    }
}
